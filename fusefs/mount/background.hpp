// Going into the background only once the mount works, as a command line and mount(8) expect.
//
// The child does everything; the parent waits for its word and ends with its status. So an error is
// seen by whoever started zabfs, and when the command has returned, the files are there.
#pragma once

namespace zabfs::fusefs::mount {

class Background {
 public:
  // Stays in the foreground.
  Background() = default;

  // Forks; returns in the child only. Before any thread is started.
  static Background fork();

  // The mount works: the parent ends with status 0, and this process leaves the terminal.
  void enter();

 private:
  explicit Background(int parent) : parent_(parent) {}

  int parent_{-1};  // A pipe to the parent; -1 in the foreground.
};

// Nothing is read from the terminal or written to it any more, and no directory is kept busy.
void leave_terminal();

}  // namespace zabfs::fusefs::mount
