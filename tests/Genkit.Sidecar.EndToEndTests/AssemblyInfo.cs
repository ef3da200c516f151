// Not parallel: Genkit's CLI picks its ports from ranges that all CLIs on the machine share.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
