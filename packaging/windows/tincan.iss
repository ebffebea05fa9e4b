; An installer for Windows, by Inno Setup 6. Untested: written from its documentation, never run. packaging/windows/package.ps1
; calls it with the version, after the program was built:
;   iscc /DVersion=0.1.0 packaging\windows\tincan.iss
; It installs for one person, without an administrator; what that person made stays when it is removed.

#ifndef Version
  #error Say which: iscc /DVersion=0.1.0
#endif

[Setup]
AppId={{6C0B4D0E-6A5E-4D0B-9A6E-7B1D0C4F3E21}
AppName=Tincan
AppVersion={#Version}
AppPublisher=The Tincan contributors
AppPublisherURL=https://github.com/tincan-call/tincan
AppSupportURL=https://github.com/tincan-call/tincan/issues
VersionInfoVersion={#Version}
DefaultDirName={autopf}\Tincan
DefaultGroupName=Tincan
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputDir=..\..\target\packages
OutputBaseFilename=tincan-{#Version}-windows-x86_64-setup
SetupIconFile=..\..\assets\icon\tincan.ico
UninstallDisplayIcon={app}\tincan-window.exe
UninstallDisplayName=Tincan
LicenseFile=..\..\LICENSE-MIT
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
CloseApplications=yes
; Signing is a step of its own: package.ps1 says how. With a certificate, iscc is given /Ssigner=... and this line:
; SignTool=signer

[Languages]
Name: "english"; MessagesFile: "compiler:Default.isl"

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked
Name: "firewall"; Description: "Let calls come in directly (adds a rule to the Windows firewall; asks for an administrator)"; Flags: unchecked

[Files]
; The same program twice: tincan.exe for a terminal, and tincan-window.exe, which opens no terminal beside its window.
Source: "..\..\target\dist\tincan.exe"; DestDir: "{app}"; Flags: ignoreversion
Source: "..\..\target\dist\tincan-window.exe"; DestDir: "{app}"; Flags: ignoreversion
Source: "..\..\LICENSE*"; DestDir: "{app}"; Flags: ignoreversion
Source: "..\..\assets\licences.txt"; DestDir: "{app}"; Flags: ignoreversion

[Icons]
Name: "{autoprograms}\Tincan"; Filename: "{app}\tincan-window.exe"; AppUserModelID: "TincanCall.Tincan"
Name: "{autodesktop}\Tincan"; Filename: "{app}\tincan-window.exe"; Tasks: desktopicon; AppUserModelID: "TincanCall.Tincan"

[Registry]
; Links that begin with tincan: go to the window that is open, which asks before it calls anybody.
Root: HKA; Subkey: "Software\Classes\tincan"; ValueType: string; ValueData: "URL:Tincan"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\tincan"; ValueName: "URL Protocol"; ValueType: string; ValueData: ""
Root: HKA; Subkey: "Software\Classes\tincan\DefaultIcon"; ValueType: string; ValueData: "{app}\tincan-window.exe,0"
Root: HKA; Subkey: "Software\Classes\tincan\shell\open\command"; ValueType: string; ValueData: """{app}\tincan-window.exe"" ""%1"""
; The entry that the program itself makes when the person lets it start with the session.
Root: HKCU; Subkey: "Software\Microsoft\Windows\CurrentVersion\Run"; ValueName: "Tincan"; ValueType: none; Flags: dontcreatekey uninsdeletevalue

[Run]
Filename: "netsh"; Parameters: "advfirewall firewall add rule name=Tincan dir=in action=allow protocol=UDP program=""{app}\tincan-window.exe"""; Verb: runas; Flags: shellexec runhidden waituntilterminated; Tasks: firewall
Filename: "{app}\tincan-window.exe"; Description: "{cm:LaunchProgram,Tincan}"; Flags: nowait postinstall skipifsilent

[UninstallRun]
Filename: "netsh"; Parameters: "advfirewall firewall delete rule name=Tincan"; Verb: runas; Flags: shellexec runhidden; RunOnceId: "firewall"; Tasks: firewall
