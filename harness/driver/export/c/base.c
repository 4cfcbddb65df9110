#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
//- names
enum { PAGE = 4096, ANYTHING = -1, COPIED = -2 };

static int fd[FILES];
static char path[FILES][32];	/* to open a file again */

/*
 * What a call may have done to a file, and when it was under way. Two calls of which neither ended
 * before the other began may have happened in any order.
 */
struct effect {
	int file;
	long long pos, end;	/* the bytes that it changed ... */
	int value;		/* ... to this one, to ANYTHING, or to what it has COPIED */
//- if copies
	int from;		/* from this file ... */
	long long at;		/* ... and this byte on, as it was meanwhile */
//- end
//- if moves
	long long by;		/* moves what lies behind by so much, and the size; 0: it does not */
//- end
//- if refuses
	int refuses;		/* it may say EINVAL, and do nothing */
//- end
//- if weak
	int weak;		/* what was there before may show again */
//- end
	long long size;		/* the size that it left, or one more if it cuts; 0: as it was */
	int cuts;		/* the size is that, and not at least that */
//- if store
	int stores;		/* through a mapping ... */
	long long inside;	/* ... and from this byte on behind the end of the file */
//- end
	long long least, most;	/* it may have left one of these sizes instead; 0: none */
	long begun, ended;	/* 0: it is under way */
};

static struct effect effects[EFFECTS];
static int made;
static long ticks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int wrongs, quiet, full;
//- if store
/* What is stored behind the end of a file stays when that grows, or passes: it shows while it grows. */
static int stays, passes;
//- end
//- if copies
static int deep;	/* copies of copies */
//- end

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

//- if told
static int no_space(void)
{
	return errno == ENOSPC || errno == EDQUOT;
}

static void told(const char *what, long long result)
{
	int error = errno;

	full |= result < 0 && no_space();
	if (!quiet)
		printf("%s = %lld%s%s\n", what, result, result < 0 ? " " : "",
		       result < 0 ? strerror(error) : "");
	errno = error;
}
//- end

static int covers(const struct effect *effect, int file, long long pos)
{
	return effect->file == file && effect->pos <= pos && pos < effect->end;
}

//- if store
/* Whether it stored that byte behind the end of the file. */
static int lies_behind(const struct effect *effect, long long pos)
{
	return effect->stores && effect->inside <= pos;
}

/* Whether somebody who looked from then until then may have seen there what was stored so. */
static int shows(const struct effect *store, long long pos, long from, long until)
{
	long stored = store->ended ? store->ended : LONG_MAX;

	for (int i = 0; i < made && !stays; i++) {
		const struct effect *grower = &effects[i];
		long ended = grower->ended ? grower->ended : LONG_MAX;
		long long size = grower->size - grower->cuts;

		if (size < grower->most)
			size = grower->most;
//- if moves
		if (grower->by)
			size = LLONG_MAX;
//- end
		if (grower->file != store->file || size <= pos)
			continue;
		/* The file may have reached that far when the byte was stored ... */
		if (grower->begun < stored && store->begun < ended)
			return 1;
		/* ... or has its new size now, and is not cleared yet. */
		if (passes && !grower->cuts && grower->begun < until && from < ended)
			return 1;
	}
//- if copies
	/* Who copies from a mapping sees what was stored there. */
	if (deep)
		return 1;
//- end
	return stays;
}

//- end
/* Whether another call has put something else there for certain, before `when`. */
static int is_gone(long ended, int file, long long pos, long when)
{
	for (int i = 0; i < made; i++) {
		const struct effect *later = &effects[i];

//- if weak
		if (later->weak)
			continue;
//- end
//- if store
		if (lies_behind(later, pos))
			continue;
//- end
		if (covers(later, file, pos) && later->ended && later->ended < when &&
		    later->begun > ended)
			return 1;
	}
	return 0;
}

//- if copies
static int may_be(int value, int file, long long pos, long from, long until);

/* Whether a byte that was copied may have been this one. */
static int may_be_copied(const struct effect *effect, int value, long long pos)
{
	long until = effect->ended ? effect->ended : LONG_MAX;
	int may;

//- if moves
	if (effect->by)
		until = effect->begun;
	if (pos < effect->pos + effect->by)
		return value == 0;
//- end
	/* Copies of copies are followed so far. */
	if (deep == 16)
		return 1;
	deep++;
	may = may_be(value, effect->from, effect->at + pos - effect->pos, effect->begun, until);
	deep--;
	return may;
}

//- end
/* Whether somebody who looked from then until then may have seen this byte. */
static int may_be(int value, int file, long long pos, long from, long until)
{
	for (int i = 0; i < made; i++) {
		const struct effect *effect = &effects[i];
		long ended = effect->ended ? effect->ended : LONG_MAX;

		if (!covers(effect, file, pos) || until <= effect->begun ||
		    is_gone(ended, file, pos, from))
			continue;
//- if store
		if (lies_behind(effect, pos) && !shows(effect, pos, from, until))
			continue;
//- end
		if (effect->value == value || effect->value == ANYTHING)
			return 1;
//- if copies
		if (effect->value == COPIED && may_be_copied(effect, value, pos))
			return 1;
//- end
//- if moves
		if (effect->by && from < ended)
			return 1;
//- end
	}
	return value == 0 && !is_gone(0, file, pos, from);
}

static int is_edge(int file, long long pos)
{
	for (int i = 0; i < made; i++)
		if (effects[i].file == file && (effects[i].pos == pos || effects[i].end == pos))
			return 1;
//- if store
	for (int i = 0; i < made; i++)
		if (effects[i].file == file &&
		    ((effects[i].stores && effects[i].inside == pos) || effects[i].size == pos))
			return 1;
//- end
//- if copies
	for (int i = 0; i < made; i++)
		if (effects[i].value == COPIED && covers(&effects[i], file, pos))
			return 1;
//- end
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

/* The size that the calls have left, and when it was cut last; -1 if that depends on who came first. */
static long long size_of(int file, long *cut)
{
	long long size = 0;
	long last = 0, last_cut = 0;
	int known = 1;

	*cut = 0;
	for (int i = 0; i < made; i++) {
		const struct effect *effect = &effects[i];
		long ended = effect->ended ? effect->ended : LONG_MAX;

//- if moves
		if (effect->file == file && effect->by) {
			known &= last < effect->begun && effect->ended;
			size += effect->by;
			last = last_cut = ended;
			*cut = effect->begun;
			continue;
		}
//- end
		if (effect->file != file || !effect->size)
			continue;
		if (effect->cuts) {
			known = last < effect->begun && effect->ended;
			size = effect->size - 1;
			*cut = effect->begun;
			last_cut = ended;
		} else {
			known &= last_cut < effect->begun && effect->ended;
			if (size < effect->size)
				size = effect->size;
		}
		if (last < ended)
			last = ended;
	}
	return known ? size : -1;
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
		cannot(names[file]);
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

/* A file that has no name, so that nothing stays behind however this ends. */
static int unnamed(const char *directory)
{
	char name[PATH_MAX];
	int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		snprintf(name, sizeof(name), "%s/case-%ld", directory, (long)getpid());
		file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (0 <= file && unlink(name))
			cannot(name);
	}
	if (file < 0)
		cannot(directory);
	return file;
}

//- if store
/* Filesystems that are known, and what is stored behind the end of their files. */
static const struct {
	unsigned long type;
	int stays, passes;
} known[] = {
//- filesystems
};

static void ask_what_stays(const char *directory)
{
	struct statfs found;

	if (statfs(directory, &found))
		cannot(directory);
	stays = 1;
	passes = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == (unsigned long)found.f_type) {
			stays = known[i].stays;
			passes = known[i].passes;
		}
}

//- end
static void open_files(const char *directory)
{
	made = 0;
//- if store
	ask_what_stays(directory);
//- end
	for (int file = 0; file < FILES; file++) {
		fd[file] = unnamed(directory);
		snprintf(path[file], sizeof(path[file]), "/proc/self/fd/%d", fd[file]);
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

