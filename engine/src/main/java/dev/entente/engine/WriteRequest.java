// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import java.util.List;
import java.util.Optional;

/**
 * What a writer sends.
 *
 * @param seen what the author says they had seen
 * @param device the device it was written on; what the same author wrote on it before, under the
 *     same credential, counts as seen
 * @param requestId {@code i} and an idempotency key, or {@code e} and an event id; the same request
 *     under the same id is answered as it was first, and another one refused
 * @param sender who gives out the request id
 * @param at when the author says it was made
 * @param base the document that the author had edited, in case the history no longer reaches there
 * @param note why; kept with the version
 * @param fence the lock under which it is made: it does not hold once the lock is another's
 */
public record WriteRequest(
    RecordKey key,
    Edit edit,
    Seen seen,
    String author,
    Optional<String> device,
    Optional<String> requestId,
    Sender sender,
    Optional<HybridTime> at,
    Optional<Json> base,
    String note,
    Optional<Locks.Fence> fence) {

  /**
   * Who gives out request ids.
   *
   * @param credential by whose authority the request is made; empty for the embedding program
   * @param batch a hash of all that is written together under the id; empty for a single write
   */
  public record Sender(String credential, String batch) {
    /** The program that embeds the node. */
    public static final Sender NONE = new Sender("", "");

    /** Whoever a credential belongs to, with a single write. */
    public static Sender of(String credential) {
      return new Sender(credential, "");
    }
  }

  /** A write that needs no lock. */
  public WriteRequest(
      RecordKey key,
      Edit edit,
      Seen seen,
      String author,
      Optional<String> device,
      Optional<String> requestId,
      Sender sender,
      Optional<HybridTime> at,
      Optional<Json> base,
      String note) {
    this(key, edit, seen, author, device, requestId, sender, at, base, note, Optional.empty());
  }

  /** A write without the rarer settings. */
  private WriteRequest(RecordKey key, Edit edit, Seen seen, String author, String note) {
    this(
        key,
        edit,
        seen,
        author,
        Optional.empty(),
        Optional.empty(),
        Sender.NONE,
        Optional.empty(),
        Optional.empty(),
        note);
  }

  /** What an author had seen. */
  public sealed interface Seen {
    /** They do not say: whatever is there is replaced. */
    record Everything() implements Seen {}

    /** Nothing: made without having seen the record. */
    record Nothing() implements Seen {}

    /** Exactly this, or the write does not hold. */
    record Exactly(VersionVector context) implements Seen {}

    /** Any existing state, or the write does not hold. */
    record Existing() implements Seen {}

    /**
     * All there is, whatever the policy says of write styles: going back is an operator's act.
     *
     * @param pending what waited for a decision then, and does so again
     */
    record Rollback(List<Competing> pending) implements Seen {
      public Rollback {
        pending = List.copyOf(pending);
      }

      Rollback() {
        this(List.of());
      }
    }

    /** No record: the write does not hold where there is one. */
    record Absence() implements Seen {}

    /** This much; what came since is merged with. */
    record Context(VersionVector context) implements Seen {}
  }

  /** A plain write without the rarer settings. */
  public static WriteRequest of(RecordKey key, Edit edit, Seen seen, String author) {
    return new WriteRequest(key, edit, seen, author, "");
  }

  /** A write of what a record was earlier; what waited for a decision then waits again. */
  public static WriteRequest rollback(Snapshot then, String author, String reason) {
    return rollback(then.key(), then.view().data(), Competing.pending(then.view()), author, reason);
  }

  static WriteRequest rollback(
      RecordKey key, Json document, List<Competing> pending, String author, String reason) {
    Edit edit = document instanceof JsonObject object ? new Edit.Put(object) : new Edit.Delete();
    return new WriteRequest(key, edit, new Seen.Rollback(pending), author, reason);
  }

  /** Erases what a record holds and held; see {@link Erasures}. */
  public static WriteRequest erasure(RecordKey key, String author, String reason) {
    return new WriteRequest(key, new Edit.Erase(), new Seen.Rollback(), author, reason);
  }

  public WriteRequest at(HybridTime time) {
    return new WriteRequest(
        key, edit, seen, author, device, requestId, sender, Optional.of(time), base, note, fence);
  }

  /** This write, as one of those that hold together. */
  WriteRequest within(String batch) {
    return new WriteRequest(
        key,
        edit,
        seen,
        author,
        device,
        requestId,
        new Sender(sender.credential(), batch),
        at,
        base,
        note,
        fence);
  }

  /** This write, under the id that its sender gave it, if any. */
  public WriteRequest identified(Optional<String> id, Sender by) {
    return new WriteRequest(key, edit, seen, author, device, id, by, at, base, note, fence);
  }

  /** This write, made under a lock. */
  public WriteRequest under(Locks.Fence lock) {
    return new WriteRequest(
        key, edit, seen, author, device, requestId, sender, at, base, note, Optional.of(lock));
  }
}
