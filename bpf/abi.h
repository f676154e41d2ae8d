/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The events that the kernel side writes and user space reads: the one truth of the binary layout.
 *
 * Rules: fixed-width types, explicit padding, 8-byte alignment, no pointers, no bit-fields. Kinds are append-only; a
 * changed layout is a new version. scripts/gen/abi.ts turns the compiled type information of this file into
 * src/abi/abi.gen.ts. Variable data stands behind the fixed part, sections in order, lengths in the fixed part.
 */
#ifndef THROUGHLINE_ABI_H
#define THROUGHLINE_ABI_H

#define ABI_VERSION 2

enum event_kind {
	EVENT_EXEC = 1,
	EVENT_FORK = 2,
	EVENT_EXIT = 3,
	EVENT_ACCEPT = 4,
	EVENT_CONNECT = 5,
	EVENT_CLOSE = 6,
	EVENT_PAYLOAD = 7,
	EVENT_OPEN = 8,
	EVENT_WORK = 9,
	EVENT_ACTION = 10,
	EVENT_CGROUP = 11,
	EVENT_DATAGRAM = 12,
	EVENT_TCP = 13,
};

/* Bits of event_header.flags. */
enum event_flag {
	FLAG_TRUNCATED = 1,    /* a section did not fit and was cut */
	FLAG_UNREADABLE = 2,   /* user memory could not be read (paged out, or a bad pointer) */
	FLAG_USER_MEMORY = 4,  /* an address or path was read from user memory after the call: it may have been swapped */
	FLAG_ADOPTED = 8,      /* accept: its first bytes were not seen, since nobody wanted them yet, or the agent was not there */
	FLAG_PLAINTEXT = 16,   /* payload: bytes that a TLS library handed out or took, not those on the wire */
	FLAG_AGENT = 64,       /* action: aimed at the agent itself */
	FLAG_CLIENT = 32,      /* accept: the connection was made by the process, not accepted; payload: of a UDP socket */
	FLAG_MADE_RUN = 128,   /* payload: goroutines that the writer has made in its request have done something, and still run */
	/* open, connect, datagram, action: asked for through io_uring, so path and address are the kernel's copies of what was asked for */
	FLAG_RING = 128,
};

/* How a thread came by its request stamp. */
enum stamp_origin {
	ORIGIN_NONE = 0,
	ORIGIN_READ = 1,    /* it read the request itself */
	ORIGIN_PROCESS = 2, /* its process was forked by a stamped thread */
	ORIGIN_THREAD = 3,  /* it was created as a thread by a stamped thread: a hint, since pools outlive requests */
	ORIGIN_WAITED = 4,  /* no stamp: the thread came back from epoll_wait and has not read a request since */
	ORIGIN_LINKED = 5,  /* an event loop: it read the answer to what the request had asked another service */
	ORIGIN_WORK = 6,    /* a thread of a pool runs work that the request had handed over */
	ORIGIN_TASK = 7,    /* a task that was made while the request was served, in asyncio */
	/*
	 * No stamp: a task that was made by another one, which served no request that we know. stamp_connection is that unit,
	 * stamp_sequence the lower 32 bits of the time when, in units of 1024 ns. Or a goroutine that was made while that one
	 * served the request that it still serves; then the time is now.
	 */
	ORIGIN_MADE = 8,
	/*
	 * As ORIGIN_TASK, by a task of the request, and it runs on the same thread: a child that the request waits for, or one
	 * that serves a pool from then on.
	 */
	ORIGIN_SUBTASK = 9,
};

/* Where an object is that an event loop hands over and gets back: see sensors/runtime.bpf.c. */
enum work_phase {
	WORK_SUBMITTED = 1,
	WORK_DONE = 2,
};

enum stdio_type {
	STDIO_CLOSED = 0,
	STDIO_FILE = 1,
	STDIO_DIRECTORY = 2,
	STDIO_TERMINAL = 3,
	STDIO_DEVICE = 4,
	STDIO_PIPE = 5,
	STDIO_SOCKET = 6,
	STDIO_OTHER = 7,
};

enum address_family {
	FAMILY_NONE = 0,
	FAMILY_IPV4 = 1,
	FAMILY_IPV6 = 2,
	FAMILY_UNIX = 3,
};

enum direction {
	DIRECTION_NONE = 0,
	DIRECTION_IN = 1,
	DIRECTION_OUT = 2,
};

struct event_header {
	unsigned int size;     /* of the whole event in bytes, with its sections */
	unsigned short kind;   /* enum event_kind */
	unsigned char version; /* ABI_VERSION */
	unsigned char flags;   /* enum event_flag */
	unsigned long long time_ns; /* CLOCK_BOOTTIME */
	unsigned int pid;      /* the kernel's tgid */
	unsigned int tid;      /* the kernel's pid */
	unsigned long long start_time_ns; /* of the thread-group leader, CLOCK_BOOTTIME */
	unsigned long long cgroup_id;
	unsigned long long stamp_connection; /* 0: the thread serves no request that we saw */
	unsigned int stamp_sequence;
	unsigned short cpu;
	unsigned char stamp_origin; /* enum stamp_origin */
	unsigned char ready_count;  /* descriptors that the thread's last epoll_wait gave it; 0 for none, 255 for more */
	unsigned long long unit;    /* what executes: the thread's id, or a goroutine or task of the process; below 2^53 */
};

/* Bits of exec_details.flags. */
enum exec_flag {
	EXEC_UPPER_LAYER = 1,       /* the file was made or changed since the overlay was mounted: it is in the upper layer */
	EXEC_MEMORY_FILE = 2,       /* it never had a name: memfd_create(2) */
	EXEC_NO_NEW_PRIVILEGES = 4, /* prctl(PR_SET_NO_NEW_PRIVS) */
	EXEC_KERNEL_PARENT = 8,     /* a kernel thread started it: core_pattern, modprobe, release_agent */
	EXEC_ENVIRONMENT = 16,      /* its environment was asked for: the last section */
	EXEC_ENVIRONMENT_CUT = 32,  /* not all of it */
};

/*
 * Sections: path, executable, working directory, argv, groups (32-bit ids), struct exec_details, interpreter, environment (variables,
 * each ended by NUL), which is all that is left.
 */
struct exec_event {
	struct event_header header;
	unsigned int parent_pid;
	unsigned int uid;
	unsigned int gid;
	unsigned int effective_uid;
	unsigned int effective_gid;
	unsigned int device;
	unsigned long long inode;
	unsigned char stdio[4]; /* enum stdio_type of descriptors 0, 1, 2; the last is padding */
	char comm[16];
	unsigned int path_size;
	unsigned int executable_size;        /* components from the leaf to the root, each ended by NUL */
	unsigned int working_directory_size; /* likewise */
	unsigned int argv_size;              /* arguments, each ended by NUL */
	unsigned int group_count;
};

/*
 * What is known of the executable file and of who runs it beside the fixed part: a section of exec_event, not
 * aligned; absent in recordings of earlier versions. The file is the one whose code runs: of a script, its interpreter.
 */
struct exec_details {
	unsigned long long change_time_ns;       /* since the Unix epoch */
	unsigned long long modification_time_ns; /* likewise */
	unsigned long long effective_capabilities; /* a bit for each: include/uapi/linux/capability.h */
	unsigned long long permitted_capabilities;
	unsigned long long inheritable_capabilities;
	unsigned int mode;        /* type and permissions, as stat(2) tells them */
	unsigned int owner_uid;
	unsigned int owner_gid;
	unsigned int link_count;  /* 0: deleted, or never had a name */
	unsigned int file_system; /* include/uapi/linux/magic.h */
	unsigned int flags;       /* enum exec_flag */
	unsigned int saved_uid;
	unsigned int saved_gid;
	unsigned int login_uid;   /* of audit; 0xffffffff: nobody logged in */
	unsigned int session;     /* pid of its leader as the host sees it; 0: of the kernel */
	unsigned int process_group; /* likewise */
	unsigned int seccomp_mode; /* include/uapi/linux/seccomp.h: 0 none, 1 strict, 2 filter */
	/* Inode numbers of the namespaces, as /proc/PID/ns has them. */
	unsigned int cgroup_namespace;
	unsigned int ipc_namespace;
	unsigned int mount_namespace;
	unsigned int network_namespace;
	unsigned int pid_namespace;
	unsigned int user_namespace;
	unsigned int uts_namespace;
	unsigned int interpreter_size; /* path as the script names it; 0: none */
	char terminal[16];        /* controlling terminal, such as pts3; empty: none */
};

struct fork_event {
	struct event_header header; /* the parent's */
	unsigned int child_pid;
	unsigned int reserved;
	unsigned long long child_start_time_ns;
};

struct exit_event {
	struct event_header header;
	unsigned int code; /* as wait(2) reports it: exit code << 8, or signal, with 0x80 for a core dump */
	unsigned int reserved;
};

struct accept_event {
	struct event_header header;
	unsigned long long connection;
	unsigned char family; /* enum address_family */
	unsigned char socket_type; /* as in connect_event; 0 for an accepted one: a stream */
	unsigned char reserved[2];
	unsigned short local_port;
	unsigned short remote_port;
	unsigned char local_address[16];
	unsigned char remote_address[16];
	char path[108]; /* of the listening unix socket; a leading NUL marks an abstract name */
	unsigned int path_size;
	/* How the two ends of a connection within this host are known for one; 0 where it is not known. */
	unsigned long long inode;      /* of a unix socket */
	unsigned long long peer_inode; /* of the unix socket at the other end; of a client before it was accepted 0 */
	unsigned int start_sequence;   /* TCP: number of the first byte that the client sends, the same at both ends */
	unsigned int network_namespace;
	unsigned int descriptor;       /* as in open_event; of an accepted connection */
	unsigned int reserved_end;
};

struct connect_event {
	struct event_header header;
	int result; /* 0 or -errno */
	unsigned char family;
	unsigned char socket_type; /* SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5 */
	unsigned short remote_port;
	unsigned char remote_address[16];
	char path[108];
	unsigned int path_size;
	unsigned int descriptor; /* as in open_event */
	unsigned short local_port; /* 0: not known, or of a unix socket */
	unsigned char reserved[2];
	unsigned char local_address[16];
};

struct close_event {
	struct event_header header;
	unsigned long long connection;
	unsigned long long bytes_in;
	unsigned long long bytes_out;
};

/* Section: captured bytes. */
struct payload_event {
	struct event_header header;
	unsigned long long connection;
	unsigned long long stream_offset; /* bytes of this direction before these, since the connection was first seen */
	unsigned int sequence;            /* inbound messages so far; one message ends when a reply begins */
	unsigned int direction;           /* enum direction */
	unsigned int length;              /* bytes transferred by the system call; of a datagram socket, one datagram */
	unsigned int captured_size;
};

/* Sections: path as passed, resolved path (components from leaf to root; of the directory it is relative to when the
 * open failed). */
struct open_event {
	struct event_header header;
	int result; /* 0 or -errno */
	unsigned int open_flags;
	unsigned int device;
	unsigned int descriptor; /* its number and 1; 0: there is none, or it is not known */
	unsigned long long inode;
	unsigned int path_size;
	unsigned int resolved_size;
};

/* Work that a request has handed over and waits for. The header is of the thread that hands it over or gets it back. */
struct work_event {
	struct event_header header;
	unsigned long long object; /* its address in the process */
	unsigned int phase;        /* enum work_phase */
	unsigned int reserved;
};

/*
 * What an argument of a system call is, and so what is told of it. User space says it for each call (src/model/actions.ts):
 * the kernel side knows no action by name.
 */
enum argument_kind {
	ARGUMENT_NUMBER = 0,
	ARGUMENT_TEXT = 1,    /* a string in user memory */
	ARGUMENT_PATH = 2,    /* likewise; where it is relative, the working directory is told as well */
	ARGUMENT_PATH_AT = 3, /* likewise, relative to the directory whose descriptor is the argument before */
	ARGUMENT_FILE = 4,    /* a descriptor: the path of its file is told, and its inode instead of the number */
	ARGUMENT_BYTES = 5,   /* memory of the caller, whose size is the argument behind */
	ARGUMENT_WORD = 6,    /* points to 64 bits, which are told instead */
};

/* Whose calls are told. */
enum action_scope {
	SCOPE_NOBODY = 0,
	SCOPE_SERVING = 1, /* of processes that serve requests, and what they started */
	SCOPE_EVERYBODY = 2,
};

enum argument_test {
	TEST_NONE = 0,
	TEST_ANY_BIT = 1, /* of the value is set in the argument */
	TEST_AT_MOST = 2, /* the argument is */
	TEST_OTHER = 3,   /* than the value */
	TEST_RAW_SOCKET = 4, /* the first two arguments, of socket(): it sees or makes packets whole */
};

/* Which argument names a process, counted from 1 (0 for none), and how. */
enum action_target {
	TARGET_ARGUMENT = 7,
	TARGET_IS_DESCRIPTOR = 8, /* of the process: a pidfd */
};

/* What user space wants of a system call. The key is its number. */
struct action_plan {
	unsigned short action; /* 0: none */
	unsigned char scope;   /* enum action_scope */
	unsigned char test;    /* enum argument_test: what is not told at all */
	unsigned int test_argument;
	unsigned long long test_value;
	unsigned char kinds[6]; /* enum argument_kind */
	unsigned char call;     /* which of the action's calls this is, in their order */
	unsigned char target;   /* enum action_target */
};

/* Sections: for each argument its text or bytes, then the components of a path (of the base where the text is relative). */
struct action_event {
	struct event_header header;
	long long result;
	unsigned long long arguments[6];
	unsigned short action;
	unsigned short call;
	unsigned short text_size[6];
	unsigned short base_size[6];
	unsigned int reserved;
};

/*
 * The first datagram between a socket and a remote that it is not connected to. Of IPv4, IPv6 and unix sockets; raw
 * sockets have no ports.
 */
struct datagram_event {
	struct event_header header;
	unsigned char family;      /* enum address_family */
	unsigned char socket_type; /* SOCK_DGRAM 2, SOCK_RAW 3 */
	unsigned char direction;   /* enum direction */
	unsigned char reserved;
	unsigned short local_port;
	unsigned short remote_port;
	unsigned char remote_address[16];
	char path[108]; /* as in accept_event */
	unsigned int path_size;
};

/* A TCP connection of anybody is over. The header names who made it, where that is known, and no thread. */
struct tcp_event {
	struct event_header header;
	unsigned long long bytes_sent;     /* with what was sent again */
	unsigned long long bytes_received;
	unsigned long long bytes_acked;    /* by the other end */
	unsigned int retransmits;          /* segments that were sent again */
	unsigned int segments_out;
	unsigned int segments_in;
	unsigned int duration_us;          /* 0: not known; 4294967295 for more */
	unsigned int error;                /* errno that the socket ended with, 0 for none */
	unsigned char family;
	unsigned char last_state; /* TCP_* of include/net/tcp_states.h: that it was in before it was closed */
	unsigned short local_port;
	unsigned short remote_port;
	unsigned char role; /* 1: this end made the connection, 2: it accepted it, 0: not known */
	unsigned char reserved;
	unsigned char local_address[16];
	unsigned char remote_address[16];
	unsigned int reserved_end;
};

/* A cgroup of the unified hierarchy was made. Section: its path from the root of the hierarchy, ended by NUL. */
struct cgroup_event {
	struct event_header header;
	unsigned long long cgroup; /* as cgroup_id of the header of those who will be in it */
	unsigned int path_size;
	unsigned int reserved;
};

/* Why something was lost or left out. Index into the counters, append-only. */
enum counter {
	COUNTER_EVENTS = 0,          /* events submitted, for rates */
	COUNTER_LOST_SECURITY = 1,   /* no room in the security ring */
	COUNTER_LOST_PAYLOAD = 2,    /* no room in the payload ring */
	COUNTER_CONNECTIONS_FULL = 3, /* a connection could not be tracked */
	COUNTER_THREADS_FULL = 4,    /* a thread could not be stamped */
	COUNTER_SERVING_FULL = 5,    /* a process could not be marked as serving */
	COUNTER_TRUNCATED = 6,       /* events with a section cut */
	COUNTER_UNREADABLE = 7,      /* user memory that could not be read */
	COUNTER_COMPAT_SKIPPED = 8,  /* 32-bit system calls, whose numbers differ */
	COUNTER_SCRATCH_BUSY = 9,    /* the processor's scratch buffer was in use by an interrupted program */
	COUNTER_TLS_UNPLACED = 10,   /* plaintext of a TLS library that could not be joined to a connection */
	COUNTER_DATAGRAMS_SKIPPED = 11, /* datagrams of one call behind the first few */
	COUNTER_LOST_BUDGET = 12,    /* events of a cgroup that had used up its budget */
	COUNTER_MAX = 16,
};

#define COUNTER_CPUS 256

/* What a cgroup can make so many events of that it has a share of the ring for them, by what becomes known of it. */
enum budget_class {
	BUDGET_FILES = 0,    /* opens */
	BUDGET_NETWORK = 1,  /* connects, datagrams */
	BUDGET_ACTIONS = 2,
	BUDGET_PROGRAMS = 3, /* programs that are started */
};

/* A cgroup has one for each class: so many there can be at once. */
#define BUDGET_SHARES 1024
/* Behind those: cgroups that find no place together, and what the ring itself had no room for. */
#define BUDGET_OTHERS 1024
#define BUDGET_RING 1025
#define BUDGET_SLOTS 1026

/* What one cgroup has put into the security ring lately, of one class, and what it lost. Memory-mapped by user space. */
struct cgroup_budget {
	unsigned long long key;    /* cgroup << 2 | enum budget_class; 0: free, or none in particular */
	unsigned int window;       /* of time, in which so many were told */
	unsigned int window_events;
	unsigned int slice;        /* how far the reader was when the bytes were used */
	unsigned int used_bytes;
	unsigned long long lost_events; /* of all cgroups that have had this slot */
	unsigned long long told_events; /* so many of them user space has told: written by user space alone */
	unsigned long long first_lost_ns; /* of those not told; CLOCK_BOOTTIME */
	unsigned long long last_lost_ns;
	unsigned int last_pid;         /* of the last event that was lost */
	unsigned int tick;             /* when it was asked last, by a clock that costs less */
};

/* What user space tells the kernel about one connection, and the kernel remembers of it. */
enum connection_mode {
	MODE_CAPTURE = 0,
	MODE_IGNORE = 1, /* not a protocol that we read: no payload, no stamp */
	MODE_CLIENT = 2, /* a connection that was made, not accepted */
	MODE_TLS = 3,    /* its bytes are ciphertext; plaintext may come from a library */
	MODE_CLIENT_UNREAD = 4, /* likewise, in a protocol that we do not read */
};

/* How far a connection in MODE_TLS is. */
enum tls_stage {
	TLS_GREETING = 0,  /* the client's first message is told as it is, up to the first answer */
	TLS_QUIET = 1,     /* ciphertext is of no use */
	TLS_PLAINTEXT = 2, /* plaintext comes: the numbers below are about that */
	TLS_UNREAD = 3,    /* user space says that nobody reads this plaintext */
	TLS_JOINED = 4,    /* as TLS_QUIET, of a connection that was met in the middle: plaintext begins with a request */
};

struct connection_state {
	/* First, in one line of the processor's cache with the socket's address, what each message of a plain connection needs. */
	unsigned long long id;
	unsigned long long bytes_in;
	unsigned long long bytes_out;
	unsigned long long next_report; /* outbound bytes at which a captureless report is due */
	unsigned int sequence;
	unsigned int message_captured; /* bytes captured of the current message */
	unsigned int writes;           /* of the current reply; of an inbound message 1 once it was told to be longer */
	unsigned int owner_pid;
	unsigned char family;
	unsigned char direction;
	unsigned char mode;
	unsigned char tls_stage;
	unsigned char is_shared; /* of a client: several requests wait for it at once */
	unsigned char reserved[3];
	unsigned int owner_sequence;
	unsigned long long owner_connection; /* of a client: the request that waits for its answer, 0 for none */
	unsigned long long inode;            /* of the socket: tells a reused kernel address from the old connection */
	unsigned long long tls_session;      /* address of the library's object in its process, once it is known */
};

#endif
