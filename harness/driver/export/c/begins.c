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

