# Makes the installer for Windows, in target\packages. Untested: written from the tools' documentation, never run.
# In a developer's PowerShell of Visual Studio 2022, with Rust, CMake, NASM, LLVM and Inno Setup 6 on the PATH:
#   packaging\windows\package.ps1
#
# Camera and microphone need no declaration in a program of this kind: Windows asks nothing, and lets every desktop program
# use them while "Let desktop apps access your camera / microphone" is on in its privacy settings. Where it is off, the
# program sees no devices and says so.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")

$version = (Select-String -Path Cargo.toml -Pattern '^version = "(.*)"' | Select-Object -First 1).Matches.Groups[1].Value
$env:SOURCE_DATE_EPOCH = git log -1 --format=%ct
$env:RUSTFLAGS = "-C target-feature=+crt-static --remap-path-prefix=$PWD=/tincan"

cargo build --locked --profile dist --bin tincan
# A program either has a terminal or has none, which stands in its header; this is the one without.
Copy-Item target\dist\tincan.exe target\dist\tincan-window.exe
editbin /NOLOGO /SUBSYSTEM:WINDOWS target\dist\tincan-window.exe

# Step "sign the programs" (needs a code signing certificate; without it, SmartScreen warns whoever downloads the installer):
#   signtool sign /fd SHA256 /tr http://timestamp.digicert.com /td SHA256 /a target\dist\tincan.exe target\dist\tincan-window.exe

New-Item -ItemType Directory -Force target\packages | Out-Null
iscc "/DVersion=$version" packaging\windows\tincan.iss

# Step "sign the installer":
#   signtool sign /fd SHA256 /tr http://timestamp.digicert.com /td SHA256 /a target\packages\tincan-$version-windows-x86_64-setup.exe

Get-FileHash "target\packages\tincan-$version-windows-x86_64-setup.exe" -Algorithm SHA256
