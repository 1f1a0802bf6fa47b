Target amd64-unicode
; SPDX-License-Identifier: GPL-3.0-or-later
; The installer for Windows. packaging/windows/build calls makensis with VERSION, STAGE (the installed tree),
; FILES (a list of its files as macros), SIZE (in KiB), ICON and OUTPUT.
Unicode true
SetCompressor /SOLID lzma
ManifestDPIAware true

; For this user, without administrator rights, unless /AllUsers is given or chosen.
!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_INSTALLMODE_DEFAULT_CURRENTUSER
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_INSTDIR "Bathyscope"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Bathyscope"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${UNINSTALL_KEY}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "InstallLocation"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${UNINSTALL_KEY}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "InstallLocation"
!include MultiUser.nsh
!include MUI2.nsh
!include "${FILES}"

Name "Bathyscope"
OutFile "${OUTPUT}"
BrandingText "Bathyscope ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "Bathyscope"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Installs Bathyscope"
VIAddVersionKey "CompanyName" "The Bathyscope developers"
VIAddVersionKey "LegalCopyright" "GPL-3.0-or-later"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\bin\bathyscope.exe"
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; A program that runs cannot be replaced; it is opened for writing to see whether it does.
!macro leaveWhileRunning
    ${If} ${FileExists} "$INSTDIR\bin\bathyscope.exe"
        ClearErrors
        FileOpen $0 "$INSTDIR\bin\bathyscope.exe" a
        ${If} ${Errors}
            MessageBox MB_OK|MB_ICONEXCLAMATION "Bathyscope is running. Close it first." /SD IDOK
            SetErrorLevel 2
            Quit
        ${EndIf}
        FileClose $0
    ${EndIf}
!macroend

Function .onInit
    !insertmacro MULTIUSER_INIT
FunctionEnd

Function un.onInit
    !insertmacro MULTIUSER_UNINIT
FunctionEnd

Section "Bathyscope"
    !insertmacro leaveWhileRunning
    ; What an older version had and this one has not goes with the older one. Conversations are elsewhere.
    ${If} ${FileExists} "$INSTDIR\uninstall.exe"
        ExecWait '"$INSTDIR\uninstall.exe" /S /$MultiUser.InstallMode _?=$INSTDIR'
    ${EndIf}
    !insertmacro installFiles
    WriteUninstaller "$INSTDIR\uninstall.exe"
    SetOutPath "$INSTDIR\bin"
    CreateShortcut "$SMPROGRAMS\Bathyscope.lnk" "$INSTDIR\bin\bathyscope.exe"
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "Bathyscope"
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\bin\bathyscope.exe"
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "The Bathyscope developers"
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
    WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
    WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE}
    WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
    WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
SectionEnd

Section "Uninstall"
    !insertmacro leaveWhileRunning
    Delete "$SMPROGRAMS\Bathyscope.lnk"
    DeleteRegKey SHCTX "${UNINSTALL_KEY}"
    ; File by file: what somebody else put there is not ours to remove.
    !insertmacro removeFiles
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
SectionEnd
