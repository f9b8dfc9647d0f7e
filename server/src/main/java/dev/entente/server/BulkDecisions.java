// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.policy.Policy;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Decision;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.server.recovery.Job;
import dev.entente.server.recovery.Jobs;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Decides many reviews, each by itself; and takes such decisions back: what competed is put side by
 * side again, as new versions that have not seen one another, so that the conflict waits as before.
 */
final class BulkDecisions {
  private static final int PAGE = 500;
  private static final int UNDONE_MAX = 200_000;

  /** Of how many jobs it is remembered what they decided, the latest. */
  private static final int JOBS_MAX = 20;

  private final Node node;
  private static final String UNDONE = "taken back";
  private final Authority authority;

  /** What each job has decided, for as long as it is remembered. */
  private final ConcurrentNavigableMap<String, List<Done>> done = new ConcurrentSkipListMap<>();

  BulkDecisions(Node node, Authority authority) {
    this.node = node;
    this.authority = authority;
  }

  /** What to decide, and how. */
  record Order(
      String tenant,
      Predicate<Review> which,
      Choice choice,
      String reason,
      String by,
      boolean dryRun,
      Optional<Locks.Fence> fence) {}

  /** How one review is decided: alike for all, or as a rule would have it. */
  sealed interface Choice {
    /** The same for each. */
    record Alike(Decision decision) implements Choice {}

    /** As this strategy would settle it. */
    record ByRule(String strategy) implements Choice {}
  }

  /**
   * A decision that may be taken back.
   *
   * @param before the record and its conflict as they were; empty for decisions of something else
   * @param after the record's context once it was decided
   */
  private record Done(Review closed, Optional<Before> before, VersionVector after) {}

  /** What a decision was about. */
  private record Before(Snapshot record, Conflict conflict) {}

  /** Hears what becomes of each. */
  record Ear(
      Runnable counted, BiConsumer<Review, Optional<String>> heard, BooleanSupplier stopping) {}

  /** Goes through the pending reviews that are meant, one after another. */
  void carryOut(Order order, Ear ear) {
    carryOut(order, ear, new ArrayList<>());
  }

  private void carryOut(Order order, Ear ear, List<Done> into) {
    Optional<byte[]> after = Optional.empty();
    List<Review> page;
    do {
      page = node.reviews(order.tenant(), Review.Status.PENDING, after, PAGE);
      for (Review review : page) {
        if (ear.stopping().getAsBoolean()) {
          return;
        }
        if (order.which().test(review)) {
          ear.heard().accept(review, decided(order, review, into));
        } else {
          ear.counted().run();
        }
      }
      after = page.isEmpty() ? Optional.empty() : Optional.of(Node.cursor(page.getLast()));
    } while (page.size() == PAGE);
  }

  /** Decides one; why not, where that is not possible. */
  private Optional<String> decided(Order order, Review review, List<Done> into) {
    Policy policy = node.policy(order.tenant(), review.key().type());
    if (policy.neverAutomatic().contains(review.unit())) {
      return Optional.of(review.unit() + " is never-automatic; it is decided one by one");
    }
    if (policy.needsTwo(review.unit())) {
      return twoPersons(review);
    }
    Optional<Decision> decision = decision(order.choice(), review);
    if (decision.isEmpty()) {
      return Optional.of("the rule leaves this to people too");
    }
    Optional<Before> before = before(review);
    Decision.Result result =
        Writes.await(() ->
            order.dryRun()
                ? authority.tryDecision(order.tenant(), review.id(), decision.get(), order.by())
                : authority.decide(
                    order.tenant(),
                    review.id(),
                    decision.get(),
                    order.by(),
                    order.reason(),
                    order.fence()));
    return switch (result) {
      case Decision.Result.Decided(Review closed, var now) -> {
        if (!order.dryRun() && into.size() < UNDONE_MAX) {
          into.add(new Done(closed, before, now.state().context()));
        }
        yield Optional.empty();
      }
      case Decision.Result.Voted _ -> Optional.of("it is voted on");
      case Decision.Result.NeedsSecond _ -> twoPersons(review);
      case Decision.Result.Moved(String message, _) -> Optional.of(message);
      case Decision.Result.Unknown() -> Optional.of("there is no such review");
      case Decision.Result.Refused(Outcome.Rejected why) -> Optional.of(why.message());
      case Decision.Result.Invalid(String message) -> Optional.of(message);
    };
  }

  private Optional<Decision> decision(Choice choice, Review review) {
    return switch (choice) {
      case Choice.Alike(Decision decision) -> Optional.of(decision);
      case Choice.ByRule(String strategy) ->
          node.settledBy(review, strategy).map(Decision.Value::new);
    };
  }

  private static Optional<String> twoPersons(Review review) {
    return Optional.of("two persons decide on " + review.unit() + "; it is decided one by one");
  }

  private static String name(Review review) {
    return review.id() + " " + review.unit() + " of " + review.key();
  }

  /** The conflict that a review is about, as it stands in the record; none for those of others. */
  private Optional<Before> before(Review review) {
    Snapshot record = node.read(review.key());
    return record.view().resolutions().stream()
        .map(Resolution::conflict)
        .filter(conflict -> conflict.id().equals(review.id()))
        .findFirst()
        .map(conflict -> new Before(record, conflict));
  }

  /** The same as long work, which can be taken back. */
  Jobs.Work work(Order order) {
    return job -> {
      List<Done> mine = Collections.synchronizedList(new ArrayList<>());
      done.put(job.id(), mine);
      while (done.size() > JOBS_MAX) {
        done.pollFirstEntry();
      }
      job.total(node.countReviews(order.tenant(), Review.Status.PENDING));
      carryOut(
          order,
          new Ear(
              job::unchanged,
              (review, why) -> {
                String name = name(review);
                why.ifPresentOrElse(problem -> job.failed(name, problem), () -> job.changed(name));
              },
              job::isStopping),
          mine);
    };
  }

  /** Whether the decisions of a job can be taken back. */
  boolean canUndo(Job job) {
    return job.state() != Job.State.RUNNING && done.containsKey(job.id()) && !job.dryRun();
  }

  /** Takes back what a job has decided, where nothing has been written since. */
  Jobs.Work undo(String jobId) {
    List<Done> theirs = done.getOrDefault(jobId, List.of());
    return job -> {
      List<Done> all = List.copyOf(theirs);
      job.total(all.size());
      for (Done one : all) {
        if (job.isStopping()) {
          return;
        }
        String name = name(one.closed());
        Optional<String> why = undone(one, job.by());
        why.ifPresentOrElse(problem -> job.failed(name, problem), () -> job.changed(name));
        if (why.isEmpty()) {
          theirs.remove(one);
        }
      }
    };
  }

  private Optional<String> undone(Done one, String by) {
    Review closed = one.closed();
    if (closed.status() == Review.Status.IGNORED) {
      return answer(
          Writes.await(() -> node.takeUp(closed.key().tenant(), closed.id(), by, UNDONE)));
    }
    if (one.before().isEmpty()) {
      return Optional.of(
          "such a decision cannot be taken back; write what its records are to hold");
    }
    Conflict conflict = one.before().get().conflict();
    if (conflict.recordLevel()) {
      return rolledBack(one, one.before().get().record(), by);
    }
    List<Json> competing = conflict.competing().stream().map(Assignment::value).toList();
    return answer(
        Writes.await(
            () -> node.reopen(closed, conflict.unit(), one.after(), competing, by, UNDONE)));
  }

  /** A decision of the whole record is taken back by going back to the record as it was. */
  private Optional<String> rolledBack(Done one, Snapshot before, String by) {
    if (!node.read(before.key()).state().context().equals(one.after())) {
      return Optional.of("it was written to since");
    }
    return Writes.await(() -> authority.write(WriteRequest.rollback(before, by, UNDONE)))
            instanceof Outcome.Rejected why
        ? Optional.of(why.message())
        : Optional.empty();
  }

  private static Optional<String> answer(Decision.Result result) {
    return switch (result) {
      case Decision.Result.Decided _ -> Optional.empty();
      case Decision.Result.Moved(String message, _) -> Optional.of(message);
      case Decision.Result.Refused(Outcome.Rejected why) -> Optional.of(why.message());
      case Decision.Result.Invalid(String message) -> Optional.of(message);
      case Decision.Result.Voted _, Decision.Result.NeedsSecond _, Decision.Result.Unknown _ ->
          Optional.of("such a decision cannot be taken back");
    };
  }
}
