#include <sys/mman.h>

enum hole { PROTECTED, UNMAPPED, BEYOND_EOF, NOT_PRESENT };

/*
 * A buffer of `len` bytes of this value, which cannot be read from byte `at` on: the page that begins there
 * is protected, or not mapped, or mapped from behind the end of a file. NOT_PRESENT is there, but in no
 * page table: a copy that may not fault stops, and goes on once it was faulted in.
 */
static unsigned char *bytes_with_hole(size_t len, int value, size_t at, enum hole hole)
{
	size_t before = (at + PAGE - 1) / PAGE * PAGE, behind = (len - at) / PAGE * PAGE + 2 * PAGE;
	unsigned char *all = mmap(NULL, before + behind, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *missing = all + before;
	unsigned char page[PAGE];
	void *got = missing;
	int file, failed = 0;

	if (all == MAP_FAILED)
		cannot("memory");
	memset(all, value, before + behind);
	memset(page, value, PAGE);
	switch (hole) {
	case PROTECTED:
		failed = mprotect(missing, PAGE, PROT_NONE);
		break;
	case UNMAPPED:
		failed = munmap(missing, PAGE);
		break;
	case BEYOND_EOF:
	case NOT_PRESENT:
		file = memfd_create("source", MFD_CLOEXEC);
		failed = file < 0 || (hole == NOT_PRESENT && write(file, page, PAGE) != PAGE);
		got = mmap(missing, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
		close(file);
		break;
	}
	if (failed || got == MAP_FAILED)
		cannot("a buffer with a hole");
	return missing - at;
}

/* Gives it back. */
static void free_with_hole(unsigned char *source, size_t len, size_t at)
{
	size_t before = (at + PAGE - 1) / PAGE * PAGE, behind = (len - at) / PAGE * PAGE + 2 * PAGE;

	munmap(source + at - before, before + behind);
}

