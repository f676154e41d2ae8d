/*
 * Tricks by which a program hides from whoever watches its system calls. Each prints what it really did, so that a test can
 * compare that with what was told: tricks NAME [ARGUMENTS]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* A thread that changes some bytes forth and back while others use them. */
static struct {
	volatile char *bytes;
	const char *one, *other;
	size_t size;
} swapped;

static void *swap(void *unused)
{
	(void)unused;
	for (;;) {
		memcpy((char *)swapped.bytes, swapped.other, swapped.size);
		memcpy((char *)swapped.bytes, swapped.one, swapped.size);
	}
	return 0;
}

static void begin_swapping(volatile char *bytes, const char *one, const char *other, size_t size)
{
	pthread_t thread;

	swapped.bytes = bytes;
	swapped.one = one;
	swapped.other = other;
	swapped.size = size;
	if (pthread_create(&thread, 0, swap, 0))
		fail("pthread_create");
}

/* argv COUNT: what echo prints is what it really got. */
static void swap_argv(int count)
{
	while (count--) {
		pid_t child = fork();

		if (child == 0) {
			char bytes[8] = "benign";
			char *arguments[] = { "echo", bytes, 0 };

			begin_swapping(bytes, "benign", "hidden", 6);
			execv("/bin/echo", arguments);
			fail("execv");
		}
		waitpid(child, 0, 0);
	}
}

/* open COUNT: prints the inode number of each file that was opened, and the errno of what was not. */
static void swap_open(int count)
{
	/* Static, here and below: the thread goes on until the program is over. */
	static char bytes[8] = "benign";

	begin_swapping(bytes, "benign", "hidden", 6);
	while (count--) {
		int file = open(bytes, O_RDWR);
		struct stat status;

		if (file < 0) {
			printf("-%d\n", errno);
			continue;
		}
		fstat(file, &status);
		printf("%lu\n", (unsigned long)status.st_ino);
		close(file);
	}
}

/* connect PORT PORT COUNT: prints the port of each peer, or 0 for a connection that was refused. */
static void swap_connect(int one, int other, int count)
{
	static struct sockaddr_in address = { .sin_family = AF_INET };
	static unsigned short ports[2];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ports[0] = htons(one);
	ports[1] = htons(other);
	address.sin_port = ports[0];
	begin_swapping((volatile char *)&address.sin_port, (char *)&ports[0], (char *)&ports[1], 2);
	while (count--) {
		int file = socket(AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);

		if (connect(file, (struct sockaddr *)&address, sizeof(address)) ||
		    getpeername(file, (struct sockaddr *)&peer, &size))
			puts("0");
		else
			printf("%d\n", ntohs(peer.sin_port));
		close(file);
	}
}

static void copy_into(int file, const char *path)
{
	char bytes[65536];
	int from = open(path, O_RDONLY);
	ssize_t size;

	if (from < 0)
		fail(path);
	while ((size = read(from, bytes, sizeof(bytes))) > 0)
		if (write(file, bytes, size) != size)
			fail("write");
	close(from);
}

/* memfd PROGRAM: runs it out of memory. */
static void run_memfd(const char *program)
{
	char *arguments[] = { "[kworker/0:1]", 0 }, *environment[] = { 0 };
	int file = memfd_create("payload", MFD_CLOEXEC);

	copy_into(file, program);
	syscall(SYS_execveat, file, "", arguments, environment, AT_EMPTY_PATH);
	fail("execveat");
}

/* A file that is open for writing cannot be run: it is opened once more, and the first one closed. */
static void run_descriptor(int file)
{
	char *arguments[] = { "true", 0 }, *environment[] = { 0 };
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	again = open(path, O_RDONLY | O_CLOEXEC);
	close(file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", again);
	execve(path, arguments, environment);
	fail("execve");
}

/* tmpfile DIRECTORY PROGRAM: runs it out of a file that never had a name. */
static void run_tmpfile(const char *directory, const char *program)
{
	int file = open(directory, O_TMPFILE | O_RDWR, 0700);

	if (file < 0)
		fail("O_TMPFILE");
	copy_into(file, program);
	run_descriptor(file);
}

/* deleted PATH PROGRAM: runs it out of a file whose name is gone. */
static void run_deleted(const char *path, const char *program)
{
	int file = open(path, O_CREAT | O_RDWR, 0700);

	copy_into(file, program);
	unlink(path);
	run_descriptor(file);
}

#if defined(__x86_64__)
static int call_as_32_bit(long number, const void *one, long two, long three)
{
	long result;

	asm volatile("int $0x80"
		     : "=a"(result)
		     : "a"(number), "b"(one), "c"(two), "d"(three)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}
#endif

/* compat DIRECTORY FILE PORT: mkdir, open and connect by the numbers that they have for 32-bit programs. Prints the results. */
static void call_compat(const char *directory, const char *file, int port)
{
#if defined(__x86_64__)
	struct sockaddr_in *address;
	char *low = mmap(0, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	strcpy(low, directory);
	printf("%d\n", call_as_32_bit(39, low, 0700, 0));
	strcpy(low, file);
	printf("%d\n", call_as_32_bit(5, low, O_RDWR, 0));
	address = (struct sockaddr_in *)(low + 8192);
	address->sin_family = AF_INET;
	address->sin_port = htons(port);
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	printf("%d\n", call_as_32_bit(362, (void *)(long)socket(AF_INET, SOCK_STREAM, 0), (long)address, sizeof(*address)));
#else
	(void)directory, (void)file, (void)port;
	puts("-38");
#endif
}

/* compat-read FILE: opens it for reading as a 32-bit program does. Prints the result. */
static void read_compat(const char *file)
{
#if defined(__x86_64__)
	char *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	strcpy(low, file);
	printf("%d\n", call_as_32_bit(5, low, O_RDONLY, 0));
#else
	(void)file;
	puts("-38");
#endif
}

/* handle PATH: opens it by its handle. Prints whether that worked. */
static void open_handle(const char *path)
{
	struct {
		struct file_handle handle;
		char bytes[128];
	} space = { .handle.handle_bytes = 128 };
	int mount, directory = open(".", O_RDONLY | O_DIRECTORY);

	if (name_to_handle_at(AT_FDCWD, path, &space.handle, &mount, 0))
		fail("name_to_handle_at");
	printf("%d\n", open_by_handle_at(directory, &space.handle, O_RDWR) >= 0);
}

/* inject: changes the memory of another process in three ways. Prints its pid, and what its variable came to each time. */
static void inject(void)
{
	static volatile long *variable;
	long value = 2;
	struct iovec here = { &value, sizeof(value) }, there;
	char path[64];
	pid_t child;
	int file;

	variable = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	printf("%d\n", child);
	if (ptrace(PTRACE_ATTACH, child, 0, 0))
		fail("PTRACE_ATTACH");
	waitpid(child, 0, 0);
	if (ptrace(PTRACE_POKEDATA, child, (void *)variable, (void *)1L))
		fail("PTRACE_POKEDATA");
	printf("%ld\n", *variable);
	ptrace(PTRACE_DETACH, child, 0, 0);
	there = (struct iovec){ (void *)variable, sizeof(value) };
	if (process_vm_writev(child, &here, 1, &there, 1, 0) < 0)
		fail("process_vm_writev");
	printf("%ld\n", *variable);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	file = open(path, O_RDWR);
	value = 3;
	if (pwrite(file, &value, sizeof(value), (long)variable) != sizeof(value))
		fail("pwrite");
	printf("%ld\n", *variable);
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
}

/* paths: opens benign in ways that do not name it. In mounts of its own, since one of them is a mount. */
static void open_paths(void)
{
	char path[4096];

	if (unshare(CLONE_NEWNS) || mount("none", "/", 0, MS_REC | MS_PRIVATE, 0))
		fail("unshare");
	if (!getcwd(path, sizeof(path) - 64))
		fail("getcwd");
	symlink("benign", "symbolic");
	mkdir("bound", 0700);
	close(open("symbolic", O_RDWR));
	close(open("bound/../bound/.././benign", O_RDWR));
	memmove(path + strlen("/proc/self/root"), path, strlen(path) + 1);
	memcpy(path, "/proc/self/root", strlen("/proc/self/root"));
	strcat(path, "/benign");
	close(open(path, O_RDWR));
	if (mount(".", "bound", 0, MS_BIND, 0))
		fail("mount");
	close(open("bound/benign", O_RDWR));
}

/* names PROGRAM: another name for the thread, then another for the program. */
static void change_names(char *program)
{
	char *arguments[] = { "[kworker/0:1]", 0 };

	prctl(PR_SET_NAME, "systemd");
	execv(program, arguments);
	fail("execv");
}

/* flood COUNT: opens files for writing as fast as it can. */
static void flood(int count)
{
	while (count--)
		close(open("benign", O_WRONLY));
}

int main(int count, char **arguments)
{
	const char *name = count > 1 ? arguments[1] : "";

	setvbuf(stdout, 0, _IOLBF, 0);
	if (!strcmp(name, "argv"))
		swap_argv(atoi(arguments[2]));
	else if (!strcmp(name, "open"))
		swap_open(atoi(arguments[2]));
	else if (!strcmp(name, "connect"))
		swap_connect(atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
	else if (!strcmp(name, "memfd"))
		run_memfd(arguments[2]);
	else if (!strcmp(name, "tmpfile"))
		run_tmpfile(arguments[2], arguments[3]);
	else if (!strcmp(name, "deleted"))
		run_deleted(arguments[2], arguments[3]);
	else if (!strcmp(name, "compat"))
		call_compat(arguments[2], arguments[3], atoi(arguments[4]));
	else if (!strcmp(name, "compat-read"))
		read_compat(arguments[2]);
	else if (!strcmp(name, "handle"))
		open_handle(arguments[2]);
	else if (!strcmp(name, "inject"))
		inject();
	else if (!strcmp(name, "paths"))
		open_paths();
	else if (!strcmp(name, "names"))
		change_names(arguments[2]);
	else if (!strcmp(name, "flood"))
		flood(atoi(arguments[2]));
	else
		return 2;
	return 0;
}
