// Package cache is the answer store: the same request is never paid for twice.
//
//	store, err := cache.Open(ctx, "answers.db")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	model := store.Wrap(provider)
//
// A [Store] keeps answers in memory, the ones used last (64 MB, see [MemoryBytes]), above
// a file that processes share ([Open]) or above nothing ([Memory]). It is safe for
// concurrent use. [Store.Wrap] puts it before a model, and one store serves any number of
// models. Inside of [lm.Wrap] make the store outside and pass its Wrap.
//
// # What is the same
//
// Answers are known by the model's name ([lm.NameOf]; that of lm/openai tells addresses,
// fields of its Extra and dialects apart, but not headers) and everything in the request that
// decides the reply: messages, tools, shape, sampling, seed, limits and Rollout. A model without a name is refused with an error of
// kind [lm.ErrInvalidRequest] on its first call, as its answers could be taken for those of
// another; [Name] gives it one.
//
// A sampled request, of a temperature above 0 or one left to the backend, is stored too,
// with a seed or without: it has one answer for each Rollout. Who wants another one asks
// with another Rollout. A reply that the limit of tokens cut is stored as well, as the limit
// is part of the request. Errors are never stored.
//
// # What a caller sees
//
// A miss passes the model's reply through as it is. A hit has Response.Cached set, and its
// Usage is one call of CachedCalls that costs nothing. Replies are copies, which a caller
// may change.
//
// Of identical requests at the same time one is asked, and the others wait for its answer:
// one caller carries the model's Usage, the others see a hit. The call runs on a context of
// its own, with the values of the first caller's, which ends when all of its callers have
// left; one that leaves fails nobody else. This holds within a process: two processes that
// ask at the same moment both pay, and the answer that was stored first stays.
//
// Streams work alike: a hit is one event, and a miss streams through and is stored when it
// is whole. Who joins a stream late sees it from its beginning.
//
// # Failures
//
// An answer that was paid is returned whether it could be stored or not. What failed is
// counted in [Stats] and told to [OnError]; without that, [Store.Err] and [Store.Close]
// return the first failure. A file that cannot be used, because it is no database, is
// somebody else's, is damaged or was written by a newer version, is an [*Error] of [Open],
// and is left as it is.
//
// Each entry carries a checksum, verified on every read of the file. An entry that does not
// match is a miss, is counted in Stats.Corrupt and removed.
//
// The file is in WAL mode with synchronous=NORMAL. A stored answer, which it is when the
// call that paid for it returns, survives the end of the process by any means, kill -9
// included. A power cut may cost the answers since the last checkpoint (1,000 pages), but
// never damages the file: to wait for the disk with each answer would cost more than that.
//
// # Fingerprints
//
// Providers name what they run by a fingerprint. When a model's reply has another one than
// the last that was stored of it, [OnFingerprint] is told and Stats.Fingerprints counts it.
// Entries are kept, as they are what the program saw; [DropOnNewFingerprint] removes those
// of other fingerprints.
//
// # The file
//
// It has the mode 0600, a directory that has to be made the mode 0700; a file that is there
// keeps its mode. It must not lie on a network file system. Any SQLite opens it:
//
//	sqlite3 answers.db 'SELECT created, model, request, response FROM entries'
//
//	PRAGMA application_id   2003330420, "whet": it is an answer store
//	PRAGMA user_version     1: the version of this schema
//	entries                 one row for each answer
//	  id                    number of the row
//	  key                   sha256, in hex, of the model's name and the canonical request
//	  model                 the model's name
//	  rollout               Request.Rollout
//	  fingerprint           Response.Fingerprint, "" where there is none
//	  created               when, in UTC: 2026-11-25T09:30:00.000Z
//	  checksum              sha256, in hex, of all of the row but id and request
//	  request               the request as JSON, for people; "" with OmitRequests
//	  response              the response as JSON, of a version of its own
//	models                  the last fingerprint of each model that has one
//	  name, fingerprint, changed
//
// The request is there to be read, and the store never reads it: it may be blanked. It holds
// no bytes of images, sounds and files, but their length and sha256, and of their addresses neither user
// nor query, where keys stand. Prompts and replies stand in the file as they are.
//
// Other processes see what is stored at once, and what is deleted or pruned unless they have
// it in memory.
package cache
