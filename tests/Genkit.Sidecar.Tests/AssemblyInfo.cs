using System.Runtime.Versioning;

// Linux only, because the tests of supervision send signals and read /proc.
[assembly: SupportedOSPlatform("linux")]
