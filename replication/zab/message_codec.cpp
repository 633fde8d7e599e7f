#include "replication/zab/message_codec.hpp"

#include "replication/jute/tagged.hpp"

namespace zabfs::replication::zab {

void append_message(Bytes& out, const Message& message) { jute::append_tagged(out, message); }

void append_message(Bytes& out, const Proposal& proposal) {
  jute::append_alternative<Message>(out, proposal);
}

Result<Message> decode_message(ByteView bytes) { return jute::decode_tagged<Message>(bytes); }

}  // namespace zabfs::replication::zab
