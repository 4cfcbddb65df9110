int main(int count, char **words)
{
	long rounds = 2 < count ? atol(words[2]) : ROUNDS, shown = 0;

	if (count < 2 || rounds < 1) {
		fprintf(stderr, "usage: %s DIRECTORY [ROUNDS]\n", words[0]);
		return 2;
	}
	for (long round = 0; round < rounds; round++) {
		int before = wrongs;

		once(words[1]);
		shown += before != wrongs;
		quiet = 1;
	}
	printf("wrong in %ld of %ld rounds\n", shown, rounds);
	if (!shown && full) {
		fprintf(stderr, "cannot run: there is not enough space in %s\n", words[1]);
		return 2;
	}
	return shown ? 1 : 0;
}
