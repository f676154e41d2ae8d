CC = clang

program: program.o
	$(CC) -o $@ $< -lm

program.o: program.c
	echo 'int main(void) { return 0; }' >conftest.c && $(CC) -o conftest conftest.c && ./conftest
	$(CC) -O2 -c program.c

check: program
	test "$$(./program)" = 42

install: program
	install -m 755 program /usr/local/bin/program
	touch -r program.c /usr/local/bin/program

clean:
	rm -rf program program.o conftest conftest.c
