namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>
/// What a deliberately wrong application does wrong, one rule each: <c>serve --break null-for-absent</c>. <c>wrong.jsonc</c> of the tests says which cases find it.
/// </summary>
internal enum Rule
{
    // Listing
    DropsAnAction,
    ListsAnActionTwice,
    NamesAreKeys,
    DropsDescriptions,
    DescriptionsAreEmpty,
    DropsSchemas,
    DropsMetadata,
    ListsHidden,
    ListNeverChanges,
    SecondListIsEmpty,
    ListsBehindRuns,
    SchemasAreNoObjects,

    // Keys
    KeysAreAscii,
    KeysIgnoreCase,
    UnknownKeySucceeds,
    UnknownKeyIsUnknown,
    UnknownKeyIsNotNamed,
    RunsListedAlone,

    // Payloads
    NullForAbsent,
    AbsentForNull,
    AbsentForEmpty,
    EmptyForAbsent,
    NumbersAreDoubles,
    WritesAnew,
    DropsDuplicateMembers,
    SortsMembers,
    ReplacesLoneSurrogates,
    ComposesText,
    CutsLarge,
    StockMessageLimit,
    StockDepthLimit,
    AppendsNewline,
    InitIsIgnored,
    ContextIsIgnored,

    // How a run goes
    ResultTwice,
    ChunkAfterResult,
    EndsWithoutResult,
    FailsAfterResult,
    CallStaysOpen,
    StateIsLate,
    StateTwice,
    StateInUpperCase,
    ChunksComeAtTheEnd,
    ChunksOutOfOrder,
    DropsLastChunk,
    ChunksTwice,
    ChunksAreNoJson,
    ResultIsNoJson,
    SaysWhatNobodyKnows,
    StreamsWithoutBeingAsked,
    CountsWrong,

    // Errors
    CodeIsAlwaysUnknown,
    CodeIsOutOfRange,
    MessageIsLost,
    MessageHasPrefix,
    MessageIsAscii,
    MessageIsCut,
    DetailsAreLost,
    StackIsLost,
    FormIsTheOther,
    FailureIsAResult,
    ChunksBeforeFailureAreLost,
    DiesOfExceptions,
    ExceptionsSucceed,
    TakesAnyInput,
    BadInputIsInternal,
    BadInputIsNotNamed,
    RefusesUnknownMembers,

    // Cancelling
    IgnoresCancel,
    IgnoresCancelOfStreams,
    IgnoresCancelOfBidi,
    CancelsAll,

    // Streamed input
    EchoesAtTheEnd,
    DropsEarlyInput,
    NullInputEndsInput,
    HangsWithoutInput,
    FirstWaitsForTheEnd,
    BidiIgnoresStart,
    BidiOfPlainIsRefused,
    PlainOfBidiIsRefused,
    StartMayBeMissing,

    // What comes with a run
    LosesMetadata,
    MetadataIsShared,
    LosesLabels,
    LosesEmptyLabels,
    LosesStreamFlag,
    StateLeaks,

    // Concurrency
    OneRunAtATime,
    EightRunsAtATime,

    // Optional methods
    RuntimeHasNoName,
    VersionHasNoLanguage,
    WrongEnvironment,
    ConfigureFails,
    ConfigureOnce,
    ValuesAreNoObject,
    ValuesAreWrong,
    UnknownValuesFail,
    NotServing,
    HealthKnowsAll,
    WatchTellsNothing,
    RefusesUnknownFields,
    UnofferedIsInternal,
    UnknownMethodSucceeds,
}
