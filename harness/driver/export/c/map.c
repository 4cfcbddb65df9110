#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

static unsigned char *map[FILES];
static __thread sigjmp_buf back;

static void beyond_eof(int signal)
{
	siglongjmp(back, signal);
}

static void map_files(void)
{
	signal(SIGBUS, beyond_eof);
	for (int file = 0; file < FILES; file++) {
		map[file] = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, fd[file], 0);
		if (map[file] == MAP_FAILED)
			cannot("mmap");
	}
}

static void unmap_files(void)
{
	for (int file = 0; file < FILES; file++)
		munmap(map[file], MAPPED);
}

