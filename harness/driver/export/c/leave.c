#include <time.h>

/* Waits for a call beside one that stands still, unless the kernel lets it wait for that one. */
static void finish_or_leave(struct thread *thread, const char *what)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	if (!pthread_timedjoin_np(thread->id, NULL, &until))
		thread->runs = 0;
	else if (!quiet)
		printf("%s waits\n", what);
}

