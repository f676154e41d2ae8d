/*
 * Starts a program so many times, one after the other, and prints how many starts a second that was.
 *
 *   spawn-loop COUNT PROGRAM
 *
 * posix_spawn, because it shares memory with the parent until the exec: least time goes to what is not measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static double now_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	char *child_environment[] = { NULL };

	if (argc != 3) {
		fprintf(stderr, "usage: spawn-loop COUNT PROGRAM\n");
		return 2;
	}
	long count = strtol(argv[1], NULL, 10);
	char *child_arguments[] = { argv[2], "throughline-bench", NULL };
	double start = now_seconds();

	for (long i = 0; i < count; i++) {
		pid_t pid;
		int status;
		int error = posix_spawn(&pid, argv[2], NULL, NULL, child_arguments, child_environment);

		if (error) {
			fprintf(stderr, "spawn-loop: %s: %s\n", argv[2], strerror(error));
			return 1;
		}
		while (waitpid(pid, &status, 0) < 0) {
			if (errno != EINTR) {
				perror("spawn-loop: waitpid");
				return 1;
			}
		}
		if (status != 0) {
			fprintf(stderr, "spawn-loop: %s failed with status %d\n", argv[2], status);
			return 1;
		}
	}
	printf("%.3f\n", (double)count / (now_seconds() - start));
	return 0;
}
