// Genkit's CLI picks its ports by itself, from ranges that every CLI on the machine shares.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
