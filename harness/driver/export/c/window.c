#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/*
 * A source whose first page is not there until somebody says so: the write stands still in the fault, after
 * it has mapped its range and before it copies.
 */
struct stop {
	unsigned char *source, *page;
	int uffd, value, fails;
};

/* `readable` bytes of `len` can be read in the end. */
static void prepare(struct stop *stop, size_t len, int value, size_t readable)
{
	struct uffdio_api api = { .api = UFFD_API };
	size_t before = (readable + PAGE - 1) / PAGE * PAGE, room = before + len + 2 * PAGE;
	unsigned char *all = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		cannot("memory");
	memset(all, value, room);
	if (readable < len && mprotect(all + before, PAGE, PROT_NONE))
		cannot("mprotect");
	stop->source = readable < len ? all + before - readable : all;
	stop->page = (unsigned char *)((unsigned long)stop->source / PAGE * PAGE);
	stop->value = value;
	stop->fails = !readable;
	if (stop->fails && mprotect(stop->page, PAGE, PROT_READ | PROT_WRITE))
		cannot("mprotect");
	stop->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (stop->uffd < 0)
		cannot("userfaultfd (be root, or set vm.unprivileged_userfaultfd)");
	struct uffdio_register range = {
		.range = { .start = (unsigned long)stop->page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	if (ioctl(stop->uffd, UFFDIO_API, &api) || madvise(stop->page, PAGE, MADV_DONTNEED) ||
	    ioctl(stop->uffd, UFFDIO_REGISTER, &range))
		cannot("userfaultfd");
}

/* Waits until the write stands there. */
static void stands(struct stop *stop)
{
	struct pollfd fault = { .fd = stop->uffd, .events = POLLIN };
	struct uffd_msg message;

	if (poll(&fault, 1, 2000) != 1 || read(stop->uffd, &message, sizeof(message)) < 0) {
		errno = ETIME;
		cannot("the write never came to its source: the window was not hit");
	}
}

/* Lets it go on: its first page is there now, or cannot be read. */
static void resume(struct stop *stop)
{
	struct uffdio_range range = { .start = (unsigned long)stop->page, .len = PAGE };
	unsigned char page[PAGE];
	struct uffdio_copy copy = { .dst = range.start, .src = (unsigned long)page, .len = PAGE };

	memset(page, stop->value, PAGE);
	if (stop->fails ? mprotect(stop->page, PAGE, PROT_NONE) || ioctl(stop->uffd, UFFDIO_WAKE, &range)
			: ioctl(stop->uffd, UFFDIO_COPY, &copy))
		cannot("userfaultfd");
	close(stop->uffd);
}

