#include <sys/mman.h>

/*
 * A buffer of `len` bytes of this value, which cannot be read from byte `at` on: the page that begins there
 * is lost. NOT_PRESENT is there, but in no page table: a copy that may not fault stops, and goes on once it
 * was faulted in.
 */
static unsigned char *bytes_with_hole(size_t len, int value, size_t at, enum hole hole)
{
	size_t before = (at + PAGE - 1) / PAGE * PAGE, behind = (len - at) / PAGE * PAGE + 2 * PAGE;
	unsigned char *all = apart(before + behind);
	unsigned char *missing = all + before;
	unsigned char page[PAGE];
	void *got;
	int file;

	memset(all, value, before + behind);
	if (hole != NOT_PRESENT) {
		lose(missing, hole, -1);
		return missing - at;
	}
	memset(page, value, PAGE);
	file = memfd_create("source", MFD_CLOEXEC);
	if (file < 0 || write(file, page, PAGE) != PAGE)
		cannot("a buffer with a hole");
	got = mmap(missing, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
	if (got == MAP_FAILED)
		cannot("a buffer with a hole");
	close(file);
	return missing - at;
}

/* Gives it back. */
static void free_with_hole(unsigned char *source, size_t len, size_t at)
{
	size_t before = (at + PAGE - 1) / PAGE * PAGE, behind = (len - at) / PAGE * PAGE + 2 * PAGE;

	munmap(source + at - before, before + behind);
}

