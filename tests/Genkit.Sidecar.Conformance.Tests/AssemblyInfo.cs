// Most of these tests wait, for processes to start and for what never comes: more of them than cores run at a time.
[assembly: CollectionBehavior(MaxParallelThreads = 8)]
