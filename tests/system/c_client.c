/* Calls ZooKeeper's own C client (libzookeeper_mt) the way its users do: asynchronous and
 * pipelined.
 *
 *   c_client HOST:PORT
 *
 * Creates, reads and changes many znodes with all requests in flight at once, and checks that the
 * replies come in the order of the requests; then watches, multi, ACLs, sequential and ephemeral
 * znodes, and the close of a session. Ends with 0, or with the first fact that did not hold. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

enum { pipelined = 1000, patience_seconds = 30 };

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, completed, last_event_type, events;
static char last_event_path[256];

static void wait_for(const int* value, int wanted) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += patience_seconds;
  pthread_mutex_lock(&guard);
  while (*value < wanted) {
    EXPECT(pthread_cond_timedwait(&changed, &guard, &deadline) == 0);
  }
  pthread_mutex_unlock(&guard);
}

static void count_up(int* value) {
  pthread_mutex_lock(&guard);
  ++*value;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&guard);
}

static void on_session(zhandle_t* zh, int type, int state, const char* path, void* context) {
  (void)zh;
  (void)path;
  (void)context;
  if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE) {
    count_up(&connected);
  }
}

static void on_event(zhandle_t* zh, int type, int state, const char* path, void* context) {
  (void)zh;
  (void)state;
  (void)context;
  pthread_mutex_lock(&guard);
  last_event_type = type;
  snprintf(last_event_path, sizeof last_event_path, "%s", path);
  pthread_mutex_unlock(&guard);
  count_up(&events);
}

static void expect_event(int number, int type, const char* path) {
  wait_for(&events, number);
  EXPECT(last_event_type == type);
  EXPECT(strcmp(last_event_path, path) == 0);
}

static zhandle_t* connect_to(const char* hosts) {
  const int before = connected;
  zhandle_t* zh = zookeeper_init(hosts, on_session, 4000, NULL, NULL, 0);
  EXPECT(zh != NULL);
  wait_for(&connected, before + 1);
  return zh;
}

static void on_created(int rc, const char* path, const void* context) {
  char expected[64];
  EXPECT(rc == ZOK);
  EXPECT((intptr_t)context == completed);
  snprintf(expected, sizeof expected, "/c/n%04d", completed);
  EXPECT(strcmp(path, expected) == 0);
  count_up(&completed);
}

static void on_read(int rc, const char* value, int length, const struct Stat* stat,
                    const void* context) {
  char expected[64];
  EXPECT(rc == ZOK);
  EXPECT((intptr_t)context == completed);
  snprintf(expected, sizeof expected, "new %d", completed);
  EXPECT(length == (int)strlen(expected) && memcmp(value, expected, strlen(expected)) == 0);
  EXPECT(stat->version == 1 && stat->dataLength == length);
  count_up(&completed);
}

static void on_changed(int rc, const struct Stat* stat, const void* context) {
  EXPECT(rc == ZOK && stat->version == 1);
  (void)context;
}

static void on_deleted(int rc, const void* context) {
  EXPECT(rc == ZOK && (intptr_t)context == completed);
  count_up(&completed);
}

static void pipeline(zhandle_t* zh) {
  char path[64];
  char value[64];
  EXPECT(zoo_create(zh, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
  for (intptr_t i = 0; i < pipelined; ++i) {
    snprintf(path, sizeof path, "/c/n%04d", (int)i);
    EXPECT(zoo_acreate(zh, path, "old", 3, &ZOO_OPEN_ACL_UNSAFE, 0, on_created, (void*)i) == ZOK);
  }
  wait_for(&completed, pipelined);
  completed = 0;
  for (intptr_t i = 0; i < pipelined; ++i) {
    snprintf(path, sizeof path, "/c/n%04d", (int)i);
    snprintf(value, sizeof value, "new %d", (int)i);
    EXPECT(zoo_aset(zh, path, value, (int)strlen(value), 0, on_changed, NULL) == ZOK);
    EXPECT(zoo_aget(zh, path, 0, on_read, (void*)i) == ZOK);
  }
  wait_for(&completed, pipelined);
  struct String_vector names;
  EXPECT(zoo_get_children(zh, "/c", 0, &names) == ZOK && names.count == pipelined);
  deallocate_String_vector(&names);
  completed = 0;
  for (intptr_t i = 0; i < pipelined; ++i) {
    snprintf(path, sizeof path, "/c/n%04d", (int)i);
    EXPECT(zoo_adelete(zh, path, 1, on_deleted, (void*)i) == ZOK);
  }
  wait_for(&completed, pipelined);
}

static void errors(zhandle_t* zh) {
  struct Stat stat;
  EXPECT(zoo_exists(zh, "/absent", 0, &stat) == ZNONODE);
  EXPECT(zoo_delete(zh, "/absent", -1) == ZNONODE);
  EXPECT(zoo_create(zh, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZNODEEXISTS);
  EXPECT(zoo_set(zh, "/c", "x", 1, 7) == ZBADVERSION);
  EXPECT(zoo_create(zh, "/c/child", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
  EXPECT(zoo_delete(zh, "/c", -1) == ZNOTEMPTY);
  char value[8];
  int length = sizeof value;
  EXPECT(zoo_get(zh, "/c/child", 0, value, &length, &stat) == ZOK && length == -1);
  EXPECT(zoo_delete(zh, "/c/child", 0) == ZOK);
}

static void watches(zhandle_t* zh, zhandle_t* other) {
  struct Stat stat;
  struct String_vector names;
  char value[64];
  int length = sizeof value;
  EXPECT(zoo_wexists(zh, "/c/w", on_event, NULL, &stat) == ZNONODE);
  EXPECT(zoo_create(other, "/c/w", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
  expect_event(1, ZOO_CREATED_EVENT, "/c/w");
  EXPECT(zoo_wget(zh, "/c/w", on_event, NULL, value, &length, &stat) == ZOK);
  EXPECT(zoo_set(other, "/c/w", "2", 1, -1) == ZOK);
  expect_event(2, ZOO_CHANGED_EVENT, "/c/w");
  EXPECT(zoo_wget_children(zh, "/c", on_event, NULL, &names) == ZOK && names.count == 1);
  deallocate_String_vector(&names);
  EXPECT(zoo_delete(other, "/c/w", 1) == ZOK);
  expect_event(3, ZOO_CHILD_EVENT, "/c");
}

static void transactions(zhandle_t* zh) {
  zoo_op_t operations[3];
  zoo_op_result_t results[3];
  char made[64];
  struct Stat stat;
  zoo_create_op_init(&operations[0], "/c/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made);
  zoo_set_op_init(&operations[1], "/c/m", "22", 2, 0, &stat);
  zoo_check_op_init(&operations[2], "/c/m", 1);
  EXPECT(zoo_multi(zh, 3, operations, results) == ZOK);
  EXPECT(strcmp(made, "/c/m") == 0 && stat.version == 1 && stat.dataLength == 2);
  zoo_delete_op_init(&operations[0], "/c/m", 1);
  zoo_check_op_init(&operations[1], "/c", 99);
  EXPECT(zoo_multi(zh, 2, operations, results) == ZBADVERSION);
  EXPECT(results[0].err == ZOK && results[1].err == ZBADVERSION);
  EXPECT(zoo_exists(zh, "/c/m", 0, &stat) == ZOK);
}

static void acls(zhandle_t* zh) {
  struct ACL_vector acl;
  struct Stat stat;
  EXPECT(zoo_create(zh, "/c/read", "", 0, &ZOO_READ_ACL_UNSAFE, 0, NULL, 0) == ZOK);
  EXPECT(zoo_set(zh, "/c/read", "x", 1, -1) == ZNOAUTH);
  EXPECT(zoo_get_acl(zh, "/c/read", &acl, &stat) == ZOK);
  EXPECT(acl.count == 1 && acl.data[0].perms == ZOO_PERM_READ);
  EXPECT(strcmp(acl.data[0].id.scheme, "world") == 0);
  deallocate_ACL_vector(&acl);
}

static void ephemerals(zhandle_t* zh, zhandle_t* other) {
  char path[64];
  struct Stat stat;
  const int mode = ZOO_EPHEMERAL | ZOO_SEQUENCE;
  EXPECT(zoo_create(other, "/c/e-", "", 0, &ZOO_OPEN_ACL_UNSAFE, mode, path, sizeof path) == ZOK);
  EXPECT(strncmp(path, "/c/e-", 5) == 0 && strlen(path) == strlen("/c/e-") + 10);
  EXPECT(zoo_exists(zh, path, 0, &stat) == ZOK);
  EXPECT(stat.ephemeralOwner == zoo_client_id(other)->client_id);
  EXPECT(zookeeper_close(other) == ZOK);
  EXPECT(zoo_exists(zh, path, 0, &stat) == ZNONODE);
}

static void on_authenticated(int rc, const void* context) {
  (void)context;
  EXPECT(rc == ZOK);
  count_up(&completed);
}

static void identities(zhandle_t* zh, zhandle_t* other) {
  const char* credential = "bob:secret";
  struct Stat stat;
  char value[8];
  int length = sizeof value;
  completed = 0;
  EXPECT(zoo_add_auth(zh, "digest", credential, (int)strlen(credential), on_authenticated, NULL) ==
         ZOK);
  wait_for(&completed, 1);
  EXPECT(zoo_create(zh, "/c/mine", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0) == ZOK);
  EXPECT(zoo_get(zh, "/c/mine", 0, value, &length, &stat) == ZOK);
  EXPECT(zoo_get(other, "/c/mine", 0, value, &length, &stat) == ZNOAUTH);
  EXPECT(zoo_set_acl(other, "/c/mine", -1, &ZOO_OPEN_ACL_UNSAFE) == ZNOAUTH);
  EXPECT(zoo_set_acl(zh, "/c/mine", 7, &ZOO_OPEN_ACL_UNSAFE) == ZBADVERSION);
  EXPECT(zoo_set_acl(zh, "/c/mine", 0, &ZOO_OPEN_ACL_UNSAFE) == ZOK);
  EXPECT(zoo_get(other, "/c/mine", 0, value, &length, &stat) == ZOK && stat.aversion == 1);
}

static void other_kinds_of_znodes(zhandle_t* zh) {
  const struct ACL_vector* open = &ZOO_OPEN_ACL_UNSAFE;
  char path[64];
  struct Stat stat;
  struct String_vector names;
  const int size = sizeof path;
  EXPECT(zoo_create2(zh, "/c/two", "22", 2, open, 0, path, size, &stat) == ZOK);
  EXPECT(strcmp(path, "/c/two") == 0 && stat.dataLength == 2 && stat.czxid == stat.pzxid);
  EXPECT(zoo_create(zh, "/c/container", "", 0, open, ZOO_CONTAINER, path, size) == ZOK);
  EXPECT(zoo_create(zh, "/c/container/child", "", 0, open, 0, NULL, 0) == ZOK);
  EXPECT(zoo_create_ttl(zh, "/c/ttl", "", 0, open, ZOO_PERSISTENT_WITH_TTL, 100000, path, size) ==
         ZOK);
  EXPECT(zoo_exists(zh, "/c/ttl", 0, &stat) == ZOK && stat.ephemeralOwner == 0);
  EXPECT(zoo_get_children2(zh, "/c/container", 0, &names, &stat) == ZOK && names.count == 1);
  deallocate_String_vector(&names);
}

static void configuration(zhandle_t* zh) {
  char text[4096];
  int length = sizeof text;
  struct Stat stat;
  EXPECT(zoo_getconfig(zh, 0, text, &length, &stat) == ZOK);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: c_client HOST:PORT\n");
    return 2;
  }
  zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
  zhandle_t* zh = connect_to(argv[1]);
  zhandle_t* other = connect_to(argv[1]);
  pipeline(zh);
  errors(zh);
  watches(zh, other);
  transactions(zh);
  acls(zh);
  identities(zh, other);
  other_kinds_of_znodes(zh);
  configuration(zh);
  ephemerals(zh, other);
  EXPECT(zookeeper_close(zh) == ZOK);
  puts("every fact held");
  return 0;
}
