using System.Runtime.Versioning;

// The tests of supervision send signals and read /proc.
[assembly: SupportedOSPlatform("linux")]
