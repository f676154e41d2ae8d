/* A library that runs code of its own in whatever program is told to load it. */
#include <unistd.h>

__attribute__((constructor)) static void run(void)
{
	if (write(1, "injected\n", 9) != 9)
		_exit(1);
}
