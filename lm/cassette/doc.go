// Package cassette records what LMs answer and replays it: tests and demonstrations that
// run without a network, without a key and with the same replies each time.
//
//	tape, err := cassette.Record("testdata/triage.jsonl")
//	model := lm.Chain(provider, tape.Wrap) // ask it, then tape.Close()
//
//	player, err := cassette.Replay("testdata/triage.jsonl") // an lm.LM
//
// [Open] does either, or both: [ModeAuto] replays what is known and records the rest.
//
// # The file
//
// A cassette is a JSON Lines file: a line with the version of the format, then one line for
// each call, with the request and what came of it, a reply or an error. It holds no times
// and no random parts, so that two recordings can be compared by any diff. A request whose
// context has ended, one that no LM can answer, and a stream that its caller left before
// the end are not recorded. Each line is written by a single call and not buffered: where
// the process is killed all lines are whole. Where the machine fails, or the disk is full
// and cannot be cut back, the last line may be cut, which is an error on reading, and none
// with [TolerateCut]. Files are created with mode 0600; one process may write one at a time.
//
// A file that cannot be used is an [*FileError] inside of an *lm.Error of kind
// lm.ErrUnavailable; it names the file and the line.
//
// # Replay
//
// A request is known where it is equal to a recorded one in all that decides its answer,
// its Rollout included. Equal requests get their replies in the order of the recording,
// each once, or with [RepeatLast] the last one again and again; where they are asked at the
// same time, in the order of their arrival. Any other request is an error of kind
// lm.ErrUnavailable that holds an [*UnknownError], which shows the nearest recorded request
// and the first difference. Requests that were recorded and never asked for are listed by
// [Player.Unused].
//
// A reply comes back as it was recorded, its Usage included: reports of a replay are those
// of the recording. A stream comes back in one event. Of an error the first *lm.Error of
// its chain comes back, with the texts of the others around it, and a
// *lm.ContextLengthError inside.
//
// # Secrets
//
// Before anything is written it is scrubbed: values of keys such as api_key, X-Api-Key and
// client_secret, Authorization and Cookie lines, bearer tokens, keys with a known beginning
// such as sk-, JSON web tokens, private keys, and passwords in URLs become "***". [Secret],
// [Pattern] and [Redact] add to this. Requests are scrubbed before they are compared as
// well, so that a request with another key, or the same, is still known: replay with the
// options of the recording. Scrubbing is repeated until it changes nothing more; an option
// with which it never ends is an error at the first text that shows it. Data of blobs is
// scrubbed like texts; what is written in a picture, or encoded in any way, is not found.
package cassette
