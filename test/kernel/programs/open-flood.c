/*
 * Opens a file for writing and closes it, as fast as some threads can for some seconds, and prints how often.
 *
 *   open-flood SECONDS THREADS FILE
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *path;
static atomic_int is_over;
static atomic_long total;

static void *flood(void *unused)
{
	long opened = 0;

	(void)unused;
	while (!atomic_load(&is_over)) {
		int descriptor = open(path, O_WRONLY | O_CLOEXEC);

		if (descriptor < 0) {
			perror("open-flood: open");
			exit(1);
		}
		close(descriptor);
		opened++;
	}
	atomic_fetch_add(&total, opened);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int count;

	if (argc != 4 || (count = atoi(argv[2])) < 1 || count > 64) {
		fprintf(stderr, "usage: open-flood SECONDS THREADS FILE\n");
		return 2;
	}
	path = argv[3];
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, flood, NULL))
			return 1;
	usleep(atof(argv[1]) * 1e6);
	atomic_store(&is_over, 1);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%ld\n", atomic_load(&total));
	return 0;
}
