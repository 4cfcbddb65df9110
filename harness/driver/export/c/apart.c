#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/*
 * Memory where nobody else gets any: when a page of it is taken away, the kernel would give the gap to whoever
 * asks next, a thread's malloc for instance. It looks for room from the top downwards, and this lies far below:
 * at 16 TiB, or lower where a process has fewer addresses.
 */
static void *apart(size_t len)
{
	static unsigned long next = 1UL << 44;

	len = (len + PAGE - 1) / PAGE * PAGE;
	for (int attempts = 0; attempts < 1000; attempts++) {
		unsigned long place = __atomic_fetch_add(&next, len + PAGE, __ATOMIC_RELAXED);
		void *got = mmap((void *)place, len, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (got == (void *)place)
			return got;
		/* Before Linux 4.17 it is a wish only. */
		if (got != MAP_FAILED)
			munmap(got, len);
		else if (errno == ENOMEM && 1UL << 28 < place)
			__atomic_store_n(&next, place / 8 / PAGE * PAGE, __ATOMIC_RELAXED);
		else if (errno != EEXIST)
			cannot("memory");
	}
	cannot("memory that lies apart");
	return NULL;
}

