/*
 * One system call, or a few, that no common program makes: act NAME [ARGUMENTS]. Ends with 1 when the call fails, but for
 * connections: those lead nowhere.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

static int connected(const char *ip, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd, "socket");
	inet_pton(AF_INET, ip, &to.sin_addr);
	if (connect(fd, (void *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void connect_unix(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	check(fd, "socket");
	strncpy(to.sun_path, path, sizeof(to.sun_path) - 1);
	if (connect(fd, (void *)&to, sizeof(to)) < 0)
		perror("connect");
}

static void open_by_handle(const char *path)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} handle = { .head.handle_bytes = 128 };
	int mount_id, directory = open("/tmp", O_RDONLY);

	check(name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0), "name_to_handle_at");
	check(open_by_handle_at(directory, &handle.head, O_RDONLY), "open_by_handle_at");
}

/* A child that waits, to do something to. */
static pid_t victim(void)
{
	pid_t child = fork();

	check(child, "fork");
	if (child == 0) {
		pause();
		_exit(0);
	}
	return child;
}

static void attach(void)
{
	pid_t child = victim();

	check(ptrace(PTRACE_ATTACH, child, 0, 0), "ptrace");
	waitpid(child, 0, 0);
	ptrace(PTRACE_DETACH, child, 0, 0);
	kill(child, SIGKILL);
}

static void read_memory(void)
{
	static char here[8], there[8];
	struct iovec local = { here, sizeof(here) }, remote = { there, sizeof(there) };
	pid_t child = victim();

	check(process_vm_readv(child, &local, 1, &remote, 1, 0), "process_vm_readv");
	kill(child, SIGKILL);
}

static void run_from_memory(const char *path)
{
	static char bytes[1 << 16];
	char *argv[] = { "payload", 0 }, *envp[] = { 0 };
	int from = open(path, O_RDONLY), to = memfd_create("payload", 0);
	long size;

	check(from, path);
	check(to, "memfd_create");
	while ((size = read(from, bytes, sizeof(bytes))) > 0)
		check(write(to, bytes, size), "write");
	check(fexecve(to, argv, envp), "fexecve");
}

static void load_program(int is_map)
{
	/* r0 = 0; exit */
	static struct bpf_insn code[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr attr = { 0 };

	if (is_map) {
		attr.map_type = BPF_MAP_TYPE_ARRAY;
		attr.key_size = attr.value_size = 4;
		attr.max_entries = 1;
	} else {
		attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
		attr.insns = (unsigned long)code;
		attr.insn_cnt = 2;
		attr.license = (unsigned long)"GPL";
	}
	check(syscall(SYS_bpf, is_map ? BPF_MAP_CREATE : BPF_PROG_LOAD, &attr, sizeof(attr)), "bpf");
}

/* A program whose standard streams are a connection. */
static void run_on_socket(char *ip, int port, char **argv)
{
	int fd = connected(ip, port);

	check(fd, "connect");
	for (int stream = 0; stream < 3; stream++)
		dup2(fd, stream);
	shutdown(fd, SHUT_WR);
	check(execv(argv[0], argv), "execv");
}

static void scan_hosts(int count, int port)
{
	char ip[20];

	for (int host = 1; host <= count; host++) {
		snprintf(ip, sizeof(ip), "10.9.0.%d", host);
		close(connected(ip, port));
	}
}

static void scan_ports(const char *ip, int count)
{
	for (int port = 1; port <= count; port++)
		close(connected(ip, port));
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char *first = argc > 2 ? argv[2] : "", *second = argc > 3 ? argv[3] : "0";

	if (!strcmp(name, "connect"))
		close(connected(first, atoi(second)));
	else if (!strcmp(name, "answers"))
		return connected(first, atoi(second)) < 0;
	else if (!strcmp(name, "connect-unix"))
		connect_unix(first);
	else if (!strcmp(name, "open"))
		check(open(first, O_RDONLY), first);
	else if (!strcmp(name, "open-by-handle"))
		open_by_handle(first);
	else if (!strcmp(name, "setns"))
		check(setns(open(first, O_RDONLY), 0), "setns");
	else if (!strcmp(name, "attach"))
		attach();
	else if (!strcmp(name, "read-memory"))
		read_memory();
	else if (!strcmp(name, "trace-me"))
		check(ptrace(PTRACE_TRACEME, 0, 0, 0), "ptrace");
	else if (!strcmp(name, "run-from-memory"))
		run_from_memory(first);
	else if (!strcmp(name, "bpf"))
		load_program(!strcmp(first, "map"));
	else if (!strcmp(name, "raw-packets"))
		check(socket(AF_PACKET, SOCK_RAW, htons(3)), "socket");
	else if (!strcmp(name, "set-user"))
		check(setuid(atoi(first)), "setuid");
	else if (!strcmp(name, "reboot"))
		/* LINUX_REBOOT_CMD_RESTART with the wrong magic number: the kernel refuses. */
		syscall(SYS_reboot, 0, 0, 0x1234567, 0);
	else if (!strcmp(name, "run-on-socket") && argc > 4)
		run_on_socket(first, atoi(second), argv + 4);
	else if (!strcmp(name, "scan-ports"))
		scan_ports(first, atoi(second));
	else if (!strcmp(name, "scan-hosts"))
		scan_hosts(atoi(first), atoi(second));
	else {
		fprintf(stderr, "usage: act NAME [ARGUMENTS]\n");
		return 2;
	}
	return 0;
}
