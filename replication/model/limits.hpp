// Every bound of the service, named once, with the relations between them asserted below.
//
// Bytes unless the name says otherwise; `_ms` are milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zabfs::replication::limits {

// ZooKeeper's jute.maxbuffer: the largest frame a client may send, and the largest string or
// buffer inside one.
inline constexpr std::size_t client_frame_bytes_max = 1'048'575;
inline constexpr std::size_t client_frame_bytes_min = 1'024;  // that may be configured

// The largest reply our own client accepts (a listing can be far larger than a request).
inline constexpr std::size_t reply_frame_bytes_max = 64UL << 20;

// A record in the log. A transaction is never larger than the request it came from by more than
// this slack, so whatever was accepted can always be read back (ZOOKEEPER-4306). The worst case is
// a multi of the shortest sequential creates: each grows by 13 bytes, and takes 49 in the request.
// What replaces `auth` in its ACLs comes on top.
inline constexpr std::size_t log_record_slack_bytes = client_frame_bytes_max / 49 * 13 + 1'024;
inline constexpr std::size_t acl_growth_bytes_max = 128UL << 10;
inline constexpr std::size_t log_record_bytes_max =
    client_frame_bytes_max + log_record_slack_bytes + acl_growth_bytes_max;

// One batch of the log: what is written before one sync. More waits for the next.
inline constexpr std::size_t log_batch_bytes_max = 4UL << 20;
inline constexpr std::size_t log_segment_bytes = 64UL << 20;

// Zeros that are written behind a batch when there are none left to write into.
inline constexpr std::size_t log_zeros_ahead_bytes = 1UL << 20;

// Snapshots: what is in the log between two of them, what one slice writes, what it has at the very
// most (what would be longer is cut), how many are kept.
inline constexpr std::uint64_t snapshot_every_transactions = 100'000;
inline constexpr std::uint64_t snapshot_log_bytes_default = 4UL << 30;  // or so much of the log
inline constexpr std::size_t snapshot_slice_bytes = 256UL << 10;
inline constexpr std::size_t snapshot_slice_bytes_max = (2UL << 20) - 1'024;
inline constexpr std::size_t snapshot_slice_nodes = 2'000;
inline constexpr std::size_t snapshots_kept_min = 3;

// A restore: the snapshot that is taken in, the highest epoch it may be of (zxids are signed for
// clients, and there must be epochs left to reign in), the pieces in which it goes through the log,
// how many of them are on their way together, how many of one that came to nothing are removed in
// one turn, how often it begins anew when leaders change, and how long nothing may come of it.
inline constexpr std::uint64_t restoration_bytes_max = 1UL << 30;
inline constexpr std::uint32_t restored_epoch_max = 0x7000'0000;
inline constexpr std::size_t restoration_piece_bytes = 512UL << 10;
inline constexpr std::size_t restoration_pieces_ahead_max = 8;
inline constexpr std::size_t restoration_pieces_removed_at_once = 64;
inline constexpr int restoration_attempts_max = 8;
inline constexpr std::int64_t restoration_stalled_ms = 60'000;

// Requests that one connection, and all of them, may have unanswered before reading from it stops.
inline constexpr std::size_t connection_requests_max = 1'000;
inline constexpr std::size_t requests_in_flight_max = 100'000;
inline constexpr std::size_t request_bytes_in_flight_max = 256UL << 20;

// The log behind the last transaction known to be committed, which a start keeps in memory. It was
// in flight when the server stopped: what a leader admits, and with room to spare what its
// connections had under way just then.
inline constexpr std::size_t log_tail_bytes_max = 4 * request_bytes_in_flight_max;

// A burst of writes: how many may wait together for one more, for how long, and how many bursts in
// a row are not waited for when that was in vain.
inline constexpr std::size_t burst_requests_max = 64;
inline constexpr std::int64_t burst_wait_us = 250;
inline constexpr std::uint32_t bursts_skipped_max = 256;

// From this size on, a request waits while more bytes than these are unanswered; smaller ones pass
// it. As many as keep a disk busy.
inline constexpr std::size_t large_request_bytes = 16UL << 10;
inline constexpr std::size_t large_requests_in_flight_bytes = 2UL << 20;

// A large write beside small ones: how many bytes of it each small one makes up for, how long there
// must have been no small one for the next to be taken nevertheless, the longest that it waits, and
// how often it is looked whether it may be taken.
inline constexpr std::int64_t large_bytes_for_each_small_write = 4L << 10;
inline constexpr std::int64_t large_write_pause_us = 2'000;
inline constexpr std::int64_t large_write_wait_us = 250'000;
inline constexpr std::int64_t large_write_retry_us = 1'000;

// What one connection may take of a turn before the others have theirs, in bytes of its requests
// and of the replies; a request counts as so many more. First the share of whoever is alone; then
// what all have together where several want something, so that a turn stays short, and the least
// that one of them has. Several are those of the busiest among so many turns.
inline constexpr std::int64_t turn_request_cost = 256;
inline constexpr std::int64_t turn_share_max = 256 * turn_request_cost;
inline constexpr std::int64_t turn_shares = 64 * turn_request_cost;
inline constexpr std::int64_t turn_share_min = 16 * turn_request_cost;
inline constexpr std::uint64_t turns_remembered = 64;

// Bytes that may wait for a client that does not read: above the first, reading from it stops;
// above the second, it is disconnected. So is one above the first while more than the third wait
// for all clients together, and one that takes nothing for so long.
inline constexpr std::size_t outbox_bytes_high = 4UL << 20;
inline constexpr std::size_t outbox_bytes_max = 256UL << 20;
inline constexpr std::size_t outboxes_bytes_max = 512UL << 20;
inline constexpr std::int64_t outbox_stalled_ms = 60'000;

// Connections: per address (ZooKeeper's maxClientCnxns), in total, and how long one may stay
// without a session.
inline constexpr std::size_t connections_per_address_default = 60;
inline constexpr std::size_t connections_max = 65'000;
inline constexpr std::int64_t sessionless_connection_ms = 10'000;

// Clients that may be in their handshake of TLS, which counts as time without a session.
inline constexpr std::size_t tls_handshakes_max = 1'000;

// Identities of one connection, and the bytes of one (its scheme not counted).
inline constexpr std::size_t identities_per_connection_max = 64;
inline constexpr std::size_t identity_bytes_max = 1'024;

// Watches of one connection, how many of those that have gone are forgotten in one turn, and
// operations in one multi.
inline constexpr std::size_t watches_per_connection_max = 1'000'000;
inline constexpr std::size_t watches_forgotten_per_turn = 5'000;
inline constexpr std::size_t multi_operations_max = 100'000;

// What one multiRead may answer; reads beyond that fail.
inline constexpr std::size_t multi_read_bytes_max = reply_frame_bytes_max / 2;

// Containers and znodes whose time to live is over: how often they are looked for, and how many of
// them are removed in a minute (ZooKeeper's defaults) and in one turn.
inline constexpr std::int64_t removal_check_ms_default = 60'000;
inline constexpr std::int64_t removals_per_minute_default = 10'000;
inline constexpr std::int64_t removals_at_once_max = 1'000;

// The end of history that every replica keeps in memory for learners that are behind: records, not
// counting what is not delivered yet. And how far a snapshot for a learner runs ahead of its link.
inline constexpr std::size_t history_bytes_max = 32UL << 20;
inline constexpr std::size_t learner_stream_bytes_ahead = 1UL << 20;

// Sessions.
inline constexpr std::size_t sessions_max = 1'000'000;
inline constexpr std::size_t session_password_bytes = 16;

// Our client: requests it holds while it has no connection, and its pace of reconnecting.
inline constexpr std::size_t client_requests_queued_max = 100'000;
inline constexpr std::int64_t reconnect_delay_ms_min = 20;
inline constexpr std::int64_t reconnect_delay_ms_max = 2'000;
inline constexpr std::int64_t connect_timeout_ms = 5'000;

// Our client: the most it encodes ahead of the socket, the paths of one setWatches (what
// ZooKeeper's Java client takes), what setWatches needs beside a path, and how long closing may
// take.
inline constexpr std::size_t client_send_batch_bytes = 256UL << 10;
inline constexpr std::size_t set_watches_batch_bytes = 128UL << 10;
inline constexpr std::size_t set_watches_slack_bytes = 64;
inline constexpr std::int64_t client_close_ms_max = 1'000;

// The ensemble: server ids are 1 to this (a session id has one byte for its server), and what one
// voter may weigh, so that no sum of weights overflows.
inline constexpr std::int64_t server_id_max = 254;
inline constexpr std::uint64_t server_weight_max = 1'000'000'000;

// A configuration of the ensemble, as text.
inline constexpr std::size_t ensemble_text_bytes_max = 256UL << 10;

// How short a follower's patience with its leader may be, and the servers' common secret.
inline constexpr std::int64_t peer_timeout_ms_min = 50;
inline constexpr std::size_t peer_secret_bytes_min = 16;
inline constexpr std::size_t peer_secret_bytes_max = 4'096;

// Election: how long one with a quorum waits for a better candidate among those who have not yet
// spoken, how often a server that found no leader repeats itself, how long a candidate is proposed
// in vain before another is tried, and the largest round that is believed.
inline constexpr std::int64_t election_settle_ms = 50;
inline constexpr std::int64_t ballot_resend_ms = 1'000;
inline constexpr std::int64_t election_patience_ms = 1'000;
inline constexpr std::uint64_t election_round_max = std::uint64_t{1} << 62;

// A frame between servers (it holds a record of the log, or a slice of a snapshot, and what is said
// about it), what is read from one peer in one turn, and what may wait for a peer: one for which
// more waits is so far behind that it must be synchronized anew.
inline constexpr std::size_t peer_frame_bytes_max = 2UL << 20;
inline constexpr std::size_t peer_read_bytes_max = 1UL << 20;
inline constexpr std::size_t peer_outbox_bytes_max = 64UL << 20;

// Links between servers: how long connecting and the handshake may take, how many strangers may be
// in their handshake, how long sent bytes may be on their way before the link counts as lost, the
// pace of connecting again, and how long the higher of two servers lets the other connect first. A
// link that lasted shorter than the longest pause counts as a failure to connect.
inline constexpr std::int64_t peer_connect_ms_max = 1'000;
inline constexpr std::int64_t peer_handshake_ms_max = 1'000;
inline constexpr std::size_t peer_strangers_max = 64;
inline constexpr int peer_unacknowledged_ms_max = 5'000;
inline constexpr std::int64_t peer_retry_ms_min = 10;
inline constexpr std::int64_t peer_retry_ms_max = 200;
inline constexpr std::int64_t peer_lower_patience_ms = 1'500;

// Operators: the digests that are noted (as many transactions apart as in ZooKeeper), what of a
// long answer is made at a time, the sessions or connections that are listed by when they expire,
// and the entries of one answer over HTTP.
inline constexpr std::uint64_t noted_digests_apart = 128;
inline constexpr std::size_t noted_digests_max = 1'024;
inline constexpr std::size_t operator_part_bytes = 64UL << 10;
inline constexpr std::size_t operator_expiries_max = 200'000;
inline constexpr std::size_t operator_entries_max = 20'000;

// zabctl: looks at what a running server changes meanwhile, the answer of a server that is asked
// for its status, a file in an archive (eleven octal digits), and one value or record of Apache
// ZooKeeper's files.
inline constexpr int looks_at_running_max = 10;
inline constexpr std::size_t status_answer_bytes_max = 4UL << 20;
inline constexpr std::uint64_t archived_file_bytes_max = (std::uint64_t{1} << 33) - 1;
inline constexpr std::size_t zookeeper_value_bytes_max = 256UL << 20;

// The longest time to live of a znode: ZooKeeper keeps it in 40 bits of the owner field.
inline constexpr std::int64_t ttl_ms_max = (std::int64_t{1} << 40) - 1;

// The mount: a value as the kernel may hand it over, waiting handles, one name.
inline constexpr std::size_t value_bytes_max = 1'048'000;
inline constexpr std::size_t handles_max = 1'000'000;
inline constexpr std::size_t name_bytes_max = 255;

// What the mount remembers of znodes while watches keep it true: entries, bytes, the watches that
// it may have set for that, the paths of which it knows that they were used lately, and the changes
// that it tells apart while reads are under way.
inline constexpr std::size_t cached_znodes_max = 50'000;
inline constexpr std::size_t cached_bytes_max = 64UL << 20;
inline constexpr std::size_t cache_watches_max = 200'000;
inline constexpr std::size_t recent_paths_remembered = 16'384;
inline constexpr std::size_t changes_remembered_max = 1'000;

// The mount: what went wrong lately; lines of a stream that its reader has not taken yet (behind
// that it is told that it missed something); znodes that a stream of a subtree compares after a
// reconnection; and what is written as one transaction.
inline constexpr std::size_t journal_lines_max = 200;
inline constexpr std::size_t stream_unread_bytes_max = 1UL << 20;
inline constexpr std::size_t watched_subtree_znodes_max = 100'000;
inline constexpr std::size_t transaction_text_bytes_max = value_bytes_max;
inline constexpr std::size_t acl_entries_max = 1'000;

// How often the mount reads and tries again when others change a znode between the reading and the
// conditional write of one append, truncation or rename.
inline constexpr int change_attempts_max = 1'000;

// Requests of the kernel that no process waits for (last closes, mostly) and that may be under way
// together; the kernel holds back more.
inline constexpr unsigned kernel_background_max = 10'000;

static_assert(log_record_bytes_max < log_batch_bytes_max, "every record fits into a batch");
static_assert(log_batch_bytes_max < log_segment_bytes, "every batch fits into a segment");
static_assert(cache_watches_max < watches_per_connection_max);
static_assert(value_bytes_max < client_frame_bytes_max, "a value fits into a request");
static_assert(set_watches_batch_bytes + set_watches_slack_bytes < client_frame_bytes_max);
static_assert(client_frame_bytes_min < client_frame_bytes_max);
static_assert(large_request_bytes < large_requests_in_flight_bytes);
static_assert(large_requests_in_flight_bytes < request_bytes_in_flight_max);
static_assert(turn_request_cost <= turn_share_min && turn_share_min <= turn_shares);
static_assert(turn_shares <= turn_share_max);
static_assert(outbox_bytes_high < outbox_bytes_max && outbox_bytes_max < outboxes_bytes_max);
static_assert(log_record_bytes_max + 1'024 <= peer_frame_bytes_max, "a record fits into a frame");
static_assert(client_frame_bytes_max + identities_per_connection_max * (identity_bytes_max + 64) +
                      1'024 <=
                  peer_frame_bytes_max,
              "a forwarded write, with whose it is, fits into a frame");
static_assert(snapshot_slice_bytes + log_record_bytes_max <= snapshot_slice_bytes_max,
              "a slice that ends with the largest znode is not cut");
static_assert(snapshot_slice_bytes_max + 1'024 <= peer_frame_bytes_max, "so does every slice");
static_assert(connections_max * sizeof(std::int64_t) + 1'024 <= peer_frame_bytes_max,
              "so do the sessions that a learner has heard of since its last heartbeat");
static_assert(multi_operations_max * sizeof(std::int32_t) + 1'024 <= peer_frame_bytes_max,
              "so do the errors of a multi");
static_assert(2 * ensemble_text_bytes_max + 1'024 <= peer_frame_bytes_max,
              "so do a configuration and the next");
static_assert(restoration_piece_bytes + 1'024 <= peer_frame_bytes_max, "so does a piece");
static_assert(restoration_piece_bytes < client_frame_bytes_max, "a piece is a znode like others");
static_assert(restoration_pieces_ahead_max * restoration_piece_bytes < peer_outbox_bytes_max / 2);
static_assert(peer_frame_bytes_max < peer_outbox_bytes_max);
static_assert(peer_retry_ms_min < peer_retry_ms_max);
static_assert(reconnect_delay_ms_min < reconnect_delay_ms_max);

}  // namespace zabfs::replication::limits
