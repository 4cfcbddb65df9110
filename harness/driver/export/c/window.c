#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

/*
 * A source in pieces. The first page of the piece `at` is not there until somebody says so: a write stands
 * still in the fault, with what lies before copied, and before it copies more.
 */
struct stop {
	struct iovec source[PIECES];
	int pieces, at, unreadable;	/* -1: all can be read in the end */
	enum hole how;			/* it cannot */
	int uffd, value;
};

static void take_away(struct stop *stop, int piece)
{
	if (madvise(stop->source[piece].iov_base, PAGE, MADV_DONTNEED))
		cannot("madvise");
}

static void supply(struct stop *stop, int piece)
{
	unsigned char page[PAGE];
	struct uffdio_copy copy = {
		.dst = (unsigned long)stop->source[piece].iov_base,
		.src = (unsigned long)page,
		.len = PAGE,
	};

	memset(page, stop->value, PAGE);
	if (ioctl(stop->uffd, UFFDIO_COPY, &copy))
		cannot("userfaultfd");
}

static void is_asked_for(struct stop *stop)
{
	struct pollfd fault = { .fd = stop->uffd, .events = POLLIN };
	struct uffd_msg message;

	if (poll(&fault, 1, 5000) != 1 || read(stop->uffd, &message, sizeof(message)) < 0) {
		errno = ETIME;
		cannot("the write never came to its source: the window was not hit");
	}
}

/* Has accesses to the first page of a piece wait. */
static void watch(struct stop *stop, int piece)
{
	struct uffdio_register range = {
		.range = { .start = (unsigned long)stop->source[piece].iov_base, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	take_away(stop, piece);
	if (ioctl(stop->uffd, UFFDIO_REGISTER, &range))
		cannot("userfaultfd");
}

/* Makes a source of pieces of these lengths. */
static void prepare(struct stop *stop, const size_t *lengths)
{
	stop->uffd = userfaultfd();
	for (int i = 0; i < stop->pieces; i++) {
		void *piece = apart(lengths[i]);

		memset(piece, stop->value, lengths[i]);
		stop->source[i] = (struct iovec){ piece, lengths[i] };
	}
	/* Who asks for its source ahead needs the page behind to come so far. */
	if (0 <= stop->unreadable && stop->unreadable != stop->at &&
	    stop->unreadable != stop->at + 1)
		lose(stop->source[stop->unreadable].iov_base, stop->how, -1);
	watch(stop, stop->at);
}

/* Lets it go on: the page is there now, or cannot be read. */
static void resume(struct stop *stop)
{
	struct uffdio_range range = {
		.start = (unsigned long)stop->source[stop->at].iov_base,
		.len = PAGE,
	};

	if (stop->unreadable == stop->at + 1) {
		watch(stop, stop->unreadable);
		lose(stop->source[stop->unreadable].iov_base, stop->how, stop->uffd);
	}
	if (stop->unreadable != stop->at) {
		supply(stop, stop->at);
		return;
	}
	lose(stop->source[stop->at].iov_base, stop->how, stop->uffd);
	if (ioctl(stop->uffd, UFFDIO_WAKE, &range))
		cannot("userfaultfd");
}

/* Nobody needs the source any more. */
static void forget(struct stop *stop)
{
	close(stop->uffd);
	for (int i = 0; i < stop->pieces; i++)
		munmap(stop->source[i].iov_base, stop->source[i].iov_len);
}

