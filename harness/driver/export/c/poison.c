#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef UFFDIO_POISON
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

/* Marks a page as one that the hardware has lost (Linux 6.6). `uffd` watches it already, if it is not -1. */
static void poison(void *page, int uffd)
{
	int own = uffd < 0 ? userfaultfd() : -1;
	struct uffdio_register watched = {
		.range = { .start = (unsigned long)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_poison poison = { .range = watched.range };

	if (0 <= own && ioctl(own, UFFDIO_REGISTER, &watched))
		cannot("userfaultfd");
	if (madvise(page, PAGE, MADV_DONTNEED) || ioctl(uffd < 0 ? own : uffd, UFFDIO_POISON, &poison))
		cannot("a page that is poisoned (Linux 6.6)");
	if (0 <= own)
		close(own);
}

