/* What is built in the tests. */
#include <math.h>
#include <stdio.h>

int main(void)
{
	printf("%.0f\n", sqrt(1764));
	return 0;
}
