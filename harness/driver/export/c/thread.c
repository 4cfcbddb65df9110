struct thread {
	pthread_t id;
	int runs;
};

static void begin(struct thread *thread, void *(*run)(void *))
{
	if ((errno = pthread_create(&thread->id, NULL, run, NULL)))
		cannot("a thread");
	thread->runs = 1;
}

static void finish(struct thread *thread)
{
	if (thread->runs)
		pthread_join(thread->id, NULL);
	thread->runs = 0;
}

