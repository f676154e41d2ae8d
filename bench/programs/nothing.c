/* The smallest program: what the process-start workload runs. */
int main(void) { return 0; }
