#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
//- files
enum { PAGE = 4096, ANYTHING = -1 };

static char path[FILES][PATH_MAX];
static int fd[FILES];

/*
 * What a call may have done to a file, and when it was under way. Two calls of which neither ended
 * before the other began may have happened in any order.
 */
struct effect {
	int file;
	long long pos, end;	/* the bytes that it changed ... */
	int value;		/* ... to this one, or to ANYTHING */
	long long size;		/* the size that it left, or one more if it cuts; 0: as it was */
	int cuts;		/* the size is that, and not at least that */
	long long open;		/* from this byte on it changed them to ANYTHING; 0: none */
	long long least, most;	/* it may have left one of these sizes instead; 0: none */
	long begun, ended;	/* 0: it is under way */
};

static struct effect effects[EFFECTS];
static int made;
static long ticks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int wrongs, quiet;

static void cannot(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	exit(2);
}

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("WRONG: ", stdout);
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
	wrongs++;
}

static void told(const char *what, long long result)
{
	int error = errno;

	if (!quiet)
		printf("%s = %lld%s%s\n", what, result, result < 0 ? " " : "",
		       result < 0 ? strerror(error) : "");
	errno = error;
}

static int begins(struct effect effect)
{
	int call;

	pthread_mutex_lock(&lock);
	if (made == EFFECTS) {
		errno = ENOBUFS;
		cannot("more calls than there is room for");
	}
	call = made++;
	effects[call] = effect;
	effects[call].begun = ++ticks;
	pthread_mutex_unlock(&lock);
	return call;
}

/* The call has changed these bytes, and the size if they lie behind it. */
static void ended_with(int call, long long pos, long long end)
{
	struct effect *effect = &effects[call];

	pthread_mutex_lock(&lock);
	effect->pos = pos;
	effect->end = end;
	if (!effect->cuts && end < effect->size)
		effect->size = end;
	if (pos == end)
		effect->size = 0;
	effect->ended = ++ticks;
	pthread_mutex_unlock(&lock);
}

static int covers(const struct effect *effect, int file, long long pos)
{
	return effect->file == file && effect->pos <= pos && pos < effect->end;
}

/* Whether another call has put something else there for certain, before `when`. */
static int is_gone(long ended, int file, long long pos, long when)
{
	for (int i = 0; i < made; i++) {
		const struct effect *later = &effects[i];

		if (covers(later, file, pos) && later->ended && later->ended < when &&
		    later->begun > ended)
			return 1;
	}
	return 0;
}

/* Whether somebody who looked from then until then may have seen this byte. */
static int may_be(int value, int file, long long pos, long from, long until)
{
	for (int i = 0; i < made; i++) {
		const struct effect *effect = &effects[i];
		long ended = effect->ended ? effect->ended : LONG_MAX;

		if (covers(effect, file, pos) && effect->begun < until &&
		    (effect->value == value || effect->value == ANYTHING ||
		     (effect->open && effect->open <= pos)) &&
		    !is_gone(ended, file, pos, from))
			return 1;
	}
	return value == 0 && !is_gone(0, file, pos, from);
}

static int is_edge(int file, long long pos)
{
	for (int i = 0; i < made; i++)
		if (effects[i].file == file && (effects[i].pos == pos || effects[i].end == pos ||
						effects[i].open == pos))
			return 1;
	return 0;
}

/* Compares bytes that were seen with what the calls can have left. */
static void judge(const char *what, int file, long long pos, const unsigned char *seen,
		  long long len, long from, long until)
{
	pthread_mutex_lock(&lock);
	for (long long i = 0; i < len; i++) {
		if (i && seen[i] == seen[i - 1] && !is_edge(file, pos + i))
			continue;
		if (!may_be(seen[i], file, pos + i, from, until)) {
			wrong("%s: byte %lld of %s is %u, which no order of the calls explains",
			      what, pos + i, names[file], seen[i]);
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

/* The size that the calls have left, and when it was cut last; -1 if some changed it at the same time. */
static long long size_of(int file, long *cut)
{
	long long size = 0;
	long last = 0;

	*cut = 0;
	for (int i = 0; i < made; i++) {
		const struct effect *effect = &effects[i];

		if (effect->file != file || !effect->size)
			continue;
		if (effect->begun < last || !effect->ended)
			return -1;
		last = effect->ended;
		if (effect->cuts)
			*cut = effect->begun;
		if (effect->cuts)
			size = effect->size - 1;
		else if (size < effect->size)
			size = effect->size;
	}
	return size;
}

/* Whether a call that failed may have left this size, which nobody has cut since. */
static int is_left(int file, long long size, long cut)
{
	for (int i = 0; i < made; i++) {
		const struct effect *effect = &effects[i];

		if (effect->file == file && effect->most && effect->least <= size &&
		    size <= effect->most && !(effect->ended && effect->ended < cut))
			return 1;
	}
	return 0;
}

/* The size of a file as it is. */
static long long size_now(int file)
{
	struct stat now;

	if (fstat(fd[file], &now))
		cannot(path[file]);
	return now.st_size;
}

static void check_sizes(const char *when)
{
	for (int file = 0; file < FILES; file++) {
		long cut;
		long long expected = size_of(file, &cut);
		long long found = size_now(file);

		if (0 <= expected && found != expected &&
		    !(expected < found && is_left(file, found, cut)))
			wrong("%s: %s has %lld bytes, and should have %lld", when, names[file],
			      found, expected);
	}
}

static void check_bytes(const char *when)
{
	for (int file = 0; file < FILES; file++) {
		unsigned char seen[16 * PAGE];
		long long pos = 0;
		ssize_t len;

		while (0 < (len = pread(fd[file], seen, sizeof(seen), pos))) {
			judge(when, file, pos, seen, len, ticks + 1, ticks + 1);
			pos += len;
		}
		if (len < 0)
			wrong("%s: %s cannot be read at %lld: %s", when, names[file], pos,
			      strerror(errno));
	}
}

static void open_files(const char *directory)
{
	made = 0;
	for (int file = 0; file < FILES; file++) {
		snprintf(path[file], PATH_MAX, "%s/pagestorm-%ld-%d", directory, (long)getpid(), file);
		fd[file] = open(path[file], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd[file] < 0 || unlink(path[file]))
			cannot(path[file]);
		snprintf(path[file], PATH_MAX, "/proc/self/fd/%d", fd[file]);
	}
}

static void sync_files(void)
{
	for (int file = 0; file < FILES; file++)
		if (fsync(fd[file]))
			wrong("fsync of %s failed: %s", names[file], strerror(errno));
}

static void drop_caches(void)
{
	for (int file = 0; file < FILES; file++)
		posix_fadvise(fd[file], 0, 0, POSIX_FADV_DONTNEED);
}

static void close_files(void)
{
	for (int file = 0; file < FILES; file++)
		close(fd[file]);
}

