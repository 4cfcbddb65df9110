#include <sys/mman.h>

enum hole {
	PROTECTED,
	UNMAPPED,
	BEYOND_EOF,
//- if poison
	POISONED,
//- end
	NOT_PRESENT
};

/*
 * Makes a page one that cannot be read: it is protected, or not mapped, or mapped from behind the end of a
 * file. `uffd` is told of its faults, if it is not -1.
 */
static void lose(void *page, enum hole hole, int uffd)
{
	int file, failed = 0;
	void *got = page;

	switch (hole) {
	case PROTECTED:
		failed = mprotect(page, PAGE, PROT_NONE);
		break;
	case UNMAPPED:
		failed = munmap(page, PAGE);
		break;
	case BEYOND_EOF:
		file = memfd_create("source", MFD_CLOEXEC);
		failed = file < 0;
		got = mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
		close(file);
		break;
//- if poison
	case POISONED:
		poison(page, uffd);
		break;
//- end
	case NOT_PRESENT:
		break;
	}
	if (failed || got == MAP_FAILED)
		cannot("a page that cannot be read");
	(void)uffd;
}

