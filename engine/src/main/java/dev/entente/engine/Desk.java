// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import dev.entente.engine.WriteRequest.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Where people take reviews, write notes to them, and approve what two persons must decide. */
public final class Desk {
  /** Notes on one review. */
  public static final int NOTES_MAX = 200;

  private static final Path TENANT = Path.of("tenant");
  private static final Path OWNER = Path.of("owner");
  private static final Path NOTES = Path.of("notes");
  private static final Path APPROVALS = Path.of("approvals");

  private final Node node;

  public Desk(Node node) {
    this.node = node;
  }

  /** What people said of a review. */
  public ReviewSheet sheet(String reviewId) {
    return ReviewSheet.of(node.read(ReviewSheet.key(reviewId)));
  }

  /** What people said of a review under all ids it went by, the oldest first. */
  public List<ReviewSheet.Note> notes(Review review) {
    List<ReviewSheet.Note> notes = new ArrayList<>();
    for (String id : review.handling().formerly().reversed()) {
      notes.addAll(sheet(id).notes());
    }
    notes.addAll(sheet(review.id()).notes());
    return notes;
  }

  /** Gives a review to somebody; to nobody where the name is empty. */
  public CompletableFuture<Outcome> assign(Review review, String owner, String by) {
    return write(review, List.of(new Operation.Set(OWNER, Json.of(owner))), by);
  }

  /** Adds a note. */
  public CompletableFuture<Outcome> note(Review review, String text, String by) {
    Json note = new ReviewSheet.Note(by, node.nowMillis(), text).toJson();
    return write(review, List.of(new Operation.EditSet(NOTES, List.of(note), List.of())), by);
  }

  /**
   * Keeps what the first of two persons decided, in place of what they decided before.
   *
   * @param what as {@link Decision.Result.NeedsSecond} gave it
   */
  public CompletableFuture<Outcome> approve(Review review, Json what, String reason, String by) {
    List<Json> former =
        sheet(review.id()).approvals().stream()
            .filter(approval -> approval.by().equals(by))
            .map(ReviewSheet.Approval::toJson)
            .toList();
    Json approval = new ReviewSheet.Approval(by, node.nowMillis(), what, reason).toJson();
    return write(review, List.of(new Operation.EditSet(APPROVALS, List.of(approval), former)), by);
  }

  private CompletableFuture<Outcome> write(Review review, List<Operation> operations, String by) {
    List<Operation> all = new ArrayList<>();
    if (sheet(review.id()).tenant().isEmpty()) {
      all.add(new Operation.Set(TENANT, Json.of(review.key().tenant())));
    }
    all.addAll(operations);
    return node.write(
        WriteRequest.of(
            ReviewSheet.key(review.id()), new Edit.Operations(all), new Seen.Everything(), by));
  }
}
