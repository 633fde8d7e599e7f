#include "fusefs/handles/handle_table.hpp"

#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::handles {

DataHandle* data_of(Handle& handle) {
  if (auto* birth = std::get_if<BirthHandle>(&handle.body)) {
    return &birth->data;
  }
  if (auto* acl = std::get_if<AclHandle>(&handle.body)) {
    return &acl->data;
  }
  return std::get_if<DataHandle>(&handle.body);
}

const DataHandle* data_of(const Handle& handle) { return data_of(const_cast<Handle&>(handle)); }

bool writes(const Handle& handle) {
  const auto* data = data_of(handle);
  return (data != nullptr && data->mode().writes) ||
         std::holds_alternative<TransactionHandle>(handle.body);
}

bool is_met(Handle& handle) {
  const auto* data = data_of(handle);
  return !handle.condition || data == nullptr || !data->has_version() ||
         data->version() == *handle.condition;
}

HandleId HandleTable::open(Handle handle) {
  if (handles_.size() >= replication::limits::handles_max) {
    return 0;
  }
  handles_.emplace(++last_, std::make_unique<Handle>(std::move(handle)));
  touch(last_);
  return last_;
}

Handle* HandleTable::find(HandleId id) {
  touch(id);
  return peek(id);
}

Handle* HandleTable::peek(HandleId id) {
  const auto found = handles_.find(id);
  return found == handles_.end() ? nullptr : found->second.get();
}

void HandleTable::restore(HandleId id, Handle handle) {
  handles_.emplace(id, std::make_unique<Handle>(std::move(handle)));
}

void HandleTable::touch(HandleId id) {
  if (keeps_changes_ && (touched_.empty() || touched_.back() != id)) {
    touched_.push_back(id);
  }
}

void HandleTable::for_each(const std::function<void(Handle&)>& visit) {
  for (auto& [id, handle] : handles_) {
    visit(*handle);
  }
}

std::unique_ptr<Handle> HandleTable::release(HandleId id) {
  const auto found = handles_.find(id);
  if (found == handles_.end()) {
    return nullptr;
  }
  touch(id);
  auto handle = std::move(found->second);
  handles_.erase(found);
  return handle;
}

}  // namespace zabfs::fusefs::handles
