/*
 * Opens and closes a file for some seconds on one thread, and prints how many pairs a second that was.
 *
 *   open-storm SECONDS FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The clock is read once in so many pairs, to keep it out of what is measured. */
#define PAIRS_PER_CLOCK 1024

static double now_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: open-storm SECONDS FILE\n");
		return 2;
	}
	double start = now_seconds();
	double end = start + strtod(argv[1], NULL);
	double now = start;
	long pairs = 0;

	while (now < end) {
		for (int i = 0; i < PAIRS_PER_CLOCK; i++) {
			int descriptor = open(argv[2], O_RDONLY | O_CLOEXEC);

			if (descriptor < 0) {
				perror("open-storm: open");
				return 1;
			}
			close(descriptor);
		}
		pairs += PAIRS_PER_CLOCK;
		now = now_seconds();
	}
	printf("%.3f\n", (double)pairs / (now - start));
	return 0;
}
