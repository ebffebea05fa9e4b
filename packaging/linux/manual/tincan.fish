# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tincan_global_optspecs
    string join \n server= name= nearby turn= turn-user= turn-password-file= hide-address data-dir= camera= microphone= speaker= background h/help V/version
end

function __fish_tincan_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tincan_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tincan_using_subcommand
    set -l cmd (__fish_tincan_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tincan -n "__fish_tincan_needs_command" -l server -d 'The rendezvous server: rtmfp://host[:port][/app]; #old after it for one of the Flash years. Without one, the server on this computer' -r
complete -c tincan -n "__fish_tincan_needs_command" -l name -d 'The name shown to others' -r
complete -c tincan -n "__fish_tincan_needs_command" -l turn -d 'A TURN server whose ports are used where nothing else leads through: turn:host[:port][?transport=tcp] or turns:host[:port]; several with commas between them' -r
complete -c tincan -n "__fish_tincan_needs_command" -l turn-user -d 'As whom' -r
complete -c tincan -n "__fish_tincan_needs_command" -l turn-password-file -d 'A file whose first line is the password for it; without, TINCAN_TURN_PASSWORD in the environment, or the one that is kept' -r -F
complete -c tincan -n "__fish_tincan_needs_command" -l data-dir -d 'Where key, settings and history live; two programs on one computer need two' -r -F
complete -c tincan -n "__fish_tincan_needs_command" -l camera -d 'default, a device\'s name, test (the measurable test picture), screen, file:PATH (.y4m, or .h264 Annex B; looped), or none' -r
complete -c tincan -n "__fish_tincan_needs_command" -l microphone -d 'default, a device\'s name, tone (the measurable test tone), file:PATH (.wav; looped), or none' -r
complete -c tincan -n "__fish_tincan_needs_command" -l speaker -d 'default, a device\'s name, file:PATH (.wav: what would have been heard, in real time), or none' -r
complete -c tincan -n "__fish_tincan_needs_command" -l nearby -d 'Finds others on the local network and is found there, in this run: no server is needed for it'
complete -c tincan -n "__fish_tincan_needs_command" -l hide-address -d 'Hides this computer\'s address from others, in this run: calls go over relays only'
complete -c tincan -n "__fish_tincan_needs_command" -l background -d 'Starts without showing the window, until it is asked for or somebody calls'
complete -c tincan -n "__fish_tincan_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tincan -n "__fish_tincan_needs_command" -s V -l version -d 'Print version'
complete -c tincan -n "__fish_tincan_needs_command" -a "serve" -d 'Runs the rendezvous server, on UDP port 1935 unless told otherwise'
complete -c tincan -n "__fish_tincan_needs_command" -a "call" -d 'Calls somebody, without a window'
complete -c tincan -n "__fish_tincan_needs_command" -a "answer" -d 'Waits for calls and takes them, without a window'
complete -c tincan -n "__fish_tincan_needs_command" -a "probe" -d 'Checks the network: whether a server can be reached, what kind of router is on the way, and whether calls will work'
complete -c tincan -n "__fish_tincan_needs_command" -a "devices" -d 'Lists the cameras, microphones and speakers of this computer'
complete -c tincan -n "__fish_tincan_needs_command" -a "id" -d 'Prints this computer\'s peer ID; at the first time, makes its key'
complete -c tincan -n "__fish_tincan_using_subcommand serve" -l listen -d 'An address and UDP port to listen on; may be repeated. 0.0.0.0:1935 and [::]:1935 unless told otherwise' -r
complete -c tincan -n "__fish_tincan_using_subcommand serve" -l config -d 'Everything else: a TOML file; packaging/rendezvous/rendezvous.toml is a commented sample' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand serve" -l log -d 'error, warn, info, debug, trace, or a filter such as tincan::rtmfp=trace; on standard error' -r
complete -c tincan -n "__fish_tincan_using_subcommand serve" -l check -d 'Asks the server that runs here by the same configuration whether it answers, instead of serving: ends with 0 if so, and with 15 if not within five seconds'
complete -c tincan -n "__fish_tincan_using_subcommand serve" -s h -l help -d 'Print help'
complete -c tincan -n "__fish_tincan_using_subcommand call" -l server -d 'The rendezvous server: rtmfp://host[:port][/app]; #old after it for one of the Flash years. Without one, the server on this computer' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l name -d 'The name shown to others' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l turn -d 'A TURN server whose ports are used where nothing else leads through: turn:host[:port][?transport=tcp] or turns:host[:port]; several with commas between them' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l turn-user -d 'As whom' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l turn-password-file -d 'A file whose first line is the password for it; without, TINCAN_TURN_PASSWORD in the environment, or the one that is kept' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand call" -l data-dir -d 'Where key, settings and history live; two programs on one computer need two' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand call" -l camera -d 'default, a device\'s name, test (the measurable test picture), screen, file:PATH (.y4m, or .h264 Annex B; looped), or none' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l microphone -d 'default, a device\'s name, tone (the measurable test tone), file:PATH (.wav; looped), or none' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l speaker -d 'default, a device\'s name, file:PATH (.wav: what would have been heard, in real time), or none' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l picture -d 'none, or file:PATH (.y4m: the pictures that would have been shown)' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l record -d 'Records the call into this file (MP4), once the far end was told; what is there is never written over' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand call" -l say -d 'Sends a chat message once the call is up; may be repeated. What arrives is printed, a line each' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l for -d 'Hangs up so long after the call came up' -r
complete -c tincan -n "__fish_tincan_using_subcommand call" -l stats -d 'Writes a JSON object a line, one a second, and a last one with "event":"summary"; - is standard output' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand call" -l nearby -d 'Finds others on the local network and is found there, in this run: no server is needed for it'
complete -c tincan -n "__fish_tincan_using_subcommand call" -l hide-address -d 'Hides this computer\'s address from others, in this run: calls go over relays only'
complete -c tincan -n "__fish_tincan_using_subcommand call" -s h -l help -d 'Print help'
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l server -d 'The rendezvous server: rtmfp://host[:port][/app]; #old after it for one of the Flash years. Without one, the server on this computer' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l name -d 'The name shown to others' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l turn -d 'A TURN server whose ports are used where nothing else leads through: turn:host[:port][?transport=tcp] or turns:host[:port]; several with commas between them' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l turn-user -d 'As whom' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l turn-password-file -d 'A file whose first line is the password for it; without, TINCAN_TURN_PASSWORD in the environment, or the one that is kept' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l data-dir -d 'Where key, settings and history live; two programs on one computer need two' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l camera -d 'default, a device\'s name, test (the measurable test picture), screen, file:PATH (.y4m, or .h264 Annex B; looped), or none' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l microphone -d 'default, a device\'s name, tone (the measurable test tone), file:PATH (.wav; looped), or none' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l speaker -d 'default, a device\'s name, file:PATH (.wav: what would have been heard, in real time), or none' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l picture -d 'none, or file:PATH (.y4m: the pictures that would have been shown)' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l record -d 'Records the call into this file (MP4), once the far end was told; what is there is never written over' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l say -d 'Sends a chat message once the call is up; may be repeated. What arrives is printed, a line each' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l for -d 'Hangs up so long after the call came up' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l stats -d 'Writes a JSON object a line, one a second, and a last one with "event":"summary"; - is standard output' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l only -d 'Takes calls of this peer only' -r
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l nearby -d 'Finds others on the local network and is found there, in this run: no server is needed for it'
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l hide-address -d 'Hides this computer\'s address from others, in this run: calls go over relays only'
complete -c tincan -n "__fish_tincan_using_subcommand answer" -l once -d 'Ends with its first call'
complete -c tincan -n "__fish_tincan_using_subcommand answer" -s h -l help -d 'Print help'
complete -c tincan -n "__fish_tincan_using_subcommand probe" -l turn -d 'A TURN server whose ports are used where nothing else leads through: turn:host[:port][?transport=tcp] or turns:host[:port]; several with commas between them' -r
complete -c tincan -n "__fish_tincan_using_subcommand probe" -l turn-user -d 'As whom' -r
complete -c tincan -n "__fish_tincan_using_subcommand probe" -l turn-password-file -d 'A file whose first line is the password for it; without, TINCAN_TURN_PASSWORD in the environment, or the one that is kept' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand probe" -l data-dir -d 'Where the settings are whose TURN server is asked, unless another is given' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand probe" -l blank -d 'Leaves out addresses, for a report that others may read'
complete -c tincan -n "__fish_tincan_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tincan -n "__fish_tincan_using_subcommand devices" -s h -l help -d 'Print help'
complete -c tincan -n "__fish_tincan_using_subcommand id" -l data-dir -d 'Where the key lives' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand id" -l back-up -d 'Writes key, settings and contacts into a file, sealed with the passphrase that is the first line of standard input' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand id" -l restore -d 'Becomes who is in such a file; the passphrase is the first line of standard input. The old key is kept aside' -r -F
complete -c tincan -n "__fish_tincan_using_subcommand id" -s h -l help -d 'Print help'
