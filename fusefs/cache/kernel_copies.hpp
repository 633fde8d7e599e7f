// What the kernel has been given to keep, by path, and taking it back.
//
// The kernel answers from what it keeps without asking, so what it was given has to be taken back
// before anybody can learn of a change through the mount: Coherence calls this whenever it forgets,
// and nothing is given that Coherence does not know.
//
//   given       what the kernel then answers by itself     taken back by
//   ---------   ----------------------------------------   ---------------------------------------
//   a name      that it leads to an inode, or to nothing    forget_names: all names at once, also
//                                                           those in replies that the kernel has
//                                                           not worked through yet
//   attributes  stat                                        forget_attributes of the inode
//   a listing   the names in a directory                    forget_listing of the inode
//
// One name is not taken back alone: for that the kernel would wait for whoever looks something up
// in the directory, who may be waiting for us.
//
// Everything happens on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace zabfs::fusefs::cache {

class KernelCopies {
 public:
  // How the kernel is told. Each returns when it is done. An empty function: it cannot be, so it is
  // given nothing of that kind.
  struct Port {
    std::function<void()> forget_names{};
    std::function<void(std::uint64_t inode)> forget_attributes{};
    std::function<void(std::uint64_t inode)> forget_listing{};
  };

  KernelCopies() : held_(std::make_shared<Held>()) {}
  KernelCopies(const KernelCopies&) = delete;
  KernelCopies& operator=(const KernelCopies&) = delete;

  // From now on it is another kernel, which has been given nothing.
  void use(Port port);

  bool may_give_name(const std::string& path) const;
  bool may_give_attributes() const { return static_cast<bool>(port_.forget_attributes); }
  bool may_give_listing() const { return static_cast<bool>(port_.forget_listing); }
  void gave_name(const std::string& path) { copies_[path].name = names_; }
  void gave_attributes(const std::string& path, std::uint64_t inode);
  void gave_listing(const std::string& path, std::uint64_t inode);
  bool has_listing(const std::string& path, std::uint64_t inode) const;

  // What is known of the znode is not true any more, or not guarded; the names of its children are
  // not; nothing is.
  void node_changed(const std::string& path);
  void children_changed(const std::string& path);
  void everything_changed();
  // The attributes alone will not be as they are.
  void attributes_change(const std::string& path);

  // As long as somebody has what is returned, the names on the way to `path` are given to nobody:
  // all names, if it is empty.
  std::shared_ptr<void> hold_names(const std::string& path);

  std::size_t size() const { return copies_.size(); }

 private:
  struct Copy {
    std::uint64_t name{};        // the generation of names in which it was given; 0 if it was not
    std::uint64_t attributes{};  // the inode, or 0
    std::uint64_t listing{};
  };
  using Copies = std::unordered_map<std::string, Copy>;
  using Held = std::unordered_map<std::string, std::size_t>;

  bool has_name(const Copy& copy) const { return copy.name == names_; }
  void take_back_names();
  void take_back_listing(Copy& copy);
  void take_back_attributes(Copy& copy);
  void erase_if_empty(Copies::iterator copy);

  Port port_{};
  Copies copies_{};
  std::uint64_t names_{1};
  std::shared_ptr<Held> held_;  // how often each path is
};

}  // namespace zabfs::fusefs::cache
