// Every metric of a server that is counted while it works, named once. To add one: a line here, and
// `metrics.its_name.add()` where it happens. It then shows itself in `mntr`, in the HTTP command
// `monitor` and to Prometheus; docs/operating.md says what each means.
//
// Where ZooKeeper has a metric for the thing, this has its name. What is merely looked up when
// somebody asks (znodes, sessions, connections) is not here, but in daemon/admin.
#pragma once

#include "replication/model/metric.hpp"

namespace zabfs::replication {

struct Metrics : MetricList {
  // --- clients ---
  Counter connection_request_count{*this, "connection_request_count",
                                   "Connect requests of clients, new sessions and old"};
  Counter connection_revalidate_count{*this, "connection_revalidate_count",
                                      "Connect requests of sessions that come back"};
  Counter connection_rejected{*this, "connection_rejected",
                              "Connections closed because a limit was reached"};
  Counter connection_drop_count{*this, "connection_drop_count",
                                "Connections that this server has closed"};
  Counter cnxn_closed_without_zk_server_running{
      *this, "cnxn_closed_without_zk_server_running",
      "Connections closed because this server does not serve"};
  Counter sessionless_connections_expired{*this, "sessionless_connections_expired",
                                          "Connections closed because they opened no session"};
  Counter stale_sessions_expired{*this, "stale_sessions_expired",
                                 "Sessions that this leader has declared expired"};
  Counter large_requests_rejected{*this, "large_requests_rejected",
                                  "Requests above the limit of size"};
  Counter auth_failed_count{*this, "auth_failed_count", "Authentications that failed"};
  Counter bytes_received_count{*this, "bytes_received_count", "Bytes of requests"};
  Counter response_bytes{*this, "response_bytes", "Bytes of replies"};
  Counter request_throttle_wait_count{*this, "request_throttle_wait_count",
                                      "Requests that had to wait because too much was under way"};
  Counter throttled_ops{*this, "throttled_ops", "Always 0: requests wait, however long"};
  Counter stale_requests{*this, "stale_requests", "Requests whose connection or session is gone"};
  Counter stale_requests_dropped{*this, "stale_requests_dropped",
                                 "Those of them that were not executed"};
  Extent client_response_size{*this, "client_response_size", "Bytes of a reply"};

  // --- requests ---
  Distribution readlatency{*this, "readlatency",
                           "From a request that changes nothing to its reply, milliseconds",
                           Unit::microseconds, Detail::percentiles};
  Distribution updatelatency{*this, "updatelatency",
                             "From a request that changes something to its reply, milliseconds",
                             Unit::microseconds, Detail::percentiles};
  Distribution prep_process_time{*this, "prep_process_time",
                                 "To decide upon a write as leader, milliseconds"};
  Distribution commit_process_time{*this, "commit_process_time",
                                   "To apply what was committed at one moment, milliseconds"};
  Distribution node_created_watch_count{*this, "node_created_watch_count",
                                        "Watches fired by one creation", Unit::pieces};
  Distribution node_changed_watch_count{*this, "node_changed_watch_count",
                                        "Watches fired by one change of data", Unit::pieces};
  Distribution node_deleted_watch_count{*this, "node_deleted_watch_count",
                                        "Watches fired by one deletion", Unit::pieces};
  Distribution node_children_watch_count{*this, "node_children_watch_count",
                                         "Watches fired by one change of a list of children",
                                         Unit::pieces};

  // --- agreement ---
  Counter proposal_count{*this, "proposal_count", "Transactions proposed as leader"};
  Counter commit_count{*this, "commit_count", "Transactions committed as leader"};
  Counter learner_proposal_received_count{*this, "learner_proposal_received_count",
                                          "Proposals heard of as learner"};
  Counter learner_commit_received_count{*this, "learner_commit_received_count",
                                        "Commits heard of as learner"};
  Counter diff_count{*this, "diff_count", "Learners brought up to date by a difference"};
  Counter snap_count{*this, "snap_count", "Learners brought up to date by a snapshot"};
  Counter looking_count{*this, "looking_count", "Times this server began to look for a leader"};
  Counter revalidate_count{*this, "revalidate_count",
                           "Sessions whose return was decided as leader"};
  Counter digest_mismatches_count{*this, "digest_mismatches_count",
                                  "States that differed from the leader's"};
  Counter unrecoverable_error_count{*this, "unrecoverable_error_count",
                                    "Errors upon which this server has to end"};
  Extent proposal_size{*this, "proposal_size", "Bytes of a proposal"};
  Distribution proposal_latency{*this, "proposal_latency",
                                "From the leader's proposing to its arrival here, milliseconds",
                                Unit::microseconds, Detail::percentiles};
  Distribution quorum_ack_latency{*this, "quorum_ack_latency",
                                  "From proposing to the acknowledgement of a quorum, milliseconds",
                                  Unit::microseconds, Detail::percentiles};
  Distribution commit_propagation_latency{
      *this, "commit_propagation_latency",
      "From the leader's proposing to the commit's arrival here, milliseconds", Unit::microseconds,
      Detail::percentiles};
  Distribution propagation_latency{*this, "propagation_latency",
                                   "From the leader's proposing to the applying here, milliseconds",
                                   Unit::microseconds, Detail::percentiles};
  Distribution election_time{*this, "election_time",
                             "From looking for a leader to having elected one, milliseconds"};
  Distribution leader_unavailable_time{
      *this, "leader_unavailable_time",
      "From looking for a leader to serving with one, milliseconds"};
  Distribution follower_sync_time{*this, "follower_sync_time",
                                  "To catch up with the leader as follower, milliseconds"};
  Distribution observer_sync_time{*this, "observer_sync_time",
                                  "To catch up with the leader as observer, milliseconds"};

  // --- the disk ---
  Distribution sync_process_time{*this, "sync_process_time",
                                 "From the first record of a batch to its being durable, "
                                 "milliseconds"};
  Distribution sync_processor_batch_size{*this, "sync_processor_batch_size",
                                         "Transactions that became durable together", Unit::pieces};
  Distribution fsynctime{*this, "fsynctime", "To sync a file to the disk, milliseconds"};
  Counter fsync_threshold_exceed_count{*this, "fsync_threshold_exceed_count",
                                       "Syncs that took longer than a second"};
  Distribution snapshottime{*this, "snapshottime", "To write a snapshot, milliseconds"};
  Distribution dbinittime{*this, "dbinittime", "To read the data at the start, milliseconds"};
  Distribution startup_txns_loaded{*this, "startup_txns_loaded",
                                   "Transactions of the log replayed at the start", Unit::pieces};
};

}  // namespace zabfs::replication
