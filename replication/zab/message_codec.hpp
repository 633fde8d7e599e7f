// Messages between servers as bytes: the number of the kind, then its fields in jute
// (jute/tagged.hpp).
//
// Reading is safe on any bytes: what is not exactly one message is refused.
#pragma once

#include "replication/model/bytes.hpp"
#include "replication/model/result.hpp"
#include "replication/zab/messages.hpp"

namespace zabfs::replication::zab {

void append_message(Bytes& out, const Message& message);

// The same for a proposal that is shared, without copying it into a message first.
void append_message(Bytes& out, const Proposal& proposal);

// What append_message wrote, or marshalling_error for anything else, bytes left over included.
Result<Message> decode_message(ByteView bytes);

}  // namespace zabfs::replication::zab
