/*
 * A function for MariaDB that runs a program, as attackers bring one: CREATE FUNCTION run RETURNS INTEGER SONAME 'udf'.
 * The structures are those of its documentation for user-defined functions; what is not needed is left out.
 */
#include <stdlib.h>

struct arguments {
	unsigned int count;
	int *types;
	char **values;
	unsigned long *lengths;
};

char run_init(void *init, struct arguments *arguments, char *message)
{
	(void)init;
	(void)message;
	return arguments->count != 1;
}

long long run(void *init, struct arguments *arguments, char *is_null, char *error)
{
	(void)init;
	(void)is_null;
	(void)error;
	return system(arguments->values[0]);
}
