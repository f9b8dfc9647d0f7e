// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.Role.Clustered;
import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.codec.ByteReader.DamagedException;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * Has the node that leads the group do something: this one, or another. One hop to a voter, and one
 * to the node that this says leads.
 */
final class LeaderClient {
  private LeaderClient() {}

  /** What to do on this node, where it leads. */
  @FunctionalInterface
  interface Local<T> {
    /** Does it; the future fails with {@link NotLeadingException} where another leads. */
    CompletableFuture<T> ask(Group group);
  }

  /** What to ask of another node. */
  @FunctionalInterface
  interface Remote<T> {
    /** Asks it; the future fails as {@link CoordinatorHost#post} does. */
    CompletableFuture<T> ask(CoordinatorHost host, String url);
  }

  /**
   * Asks whoever leads.
   *
   * @return fails with {@link UnavailableException} where that is not known, or does not answer:
   *     then what was asked for may have happened
   */
  static <T> CompletableFuture<T> ask(Role role, Local<T> here, Remote<T> elsewhere) {
    Optional<Group> voting = role.voting();
    return voting.isPresent()
        ? follow(attempt(() -> here.ask(voting.get())), 2, role, elsewhere)
        : follow(attempt(() -> remote(role, aVoter(role), elsewhere)), 1, role, elsewhere);
  }

  /** Goes on to the node that an answer says leads, so many times. */
  private static <T> CompletableFuture<T> follow(
      CompletableFuture<T> answer, int hops, Role role, Remote<T> elsewhere) {
    return answer.exceptionallyCompose(problem ->
        hops > 0 && cause(problem) instanceof NotLeadingException not && not.leader().isPresent()
            ? follow(
                attempt(() -> remote(role, not.leader(), elsewhere)), hops - 1, role, elsewhere)
            : CompletableFuture.failedFuture(cause(problem)));
  }

  private static Optional<String> aVoter(Role role) {
    return role instanceof Clustered node
        ? Placement.anyVoter(node).map(Authority.Place.There::node)
        : Optional.empty();
  }

  private static <T> CompletableFuture<T> remote(
      Role role, Optional<String> who, Remote<T> elsewhere) {
    if (!(role instanceof Clustered node)) {
      throw new NotLeadingException(Optional.empty());
    }
    String url =
        who.flatMap(node.cluster()::urlOf)
            .orElseThrow(() -> new NotLeadingException(Optional.empty()));
    return readable(url, elsewhere.ask(node.host(), url));
  }

  /** Names the node where what it was asked for is not known to be done. */
  static <T> CompletableFuture<T> readable(String url, CompletableFuture<T> answer) {
    return answer.exceptionallyCompose(problem ->
        CompletableFuture.failedFuture(
            switch (cause(problem)) {
              case RefusedException e ->
                  new UnavailableException(
                      "the node that leads refuses it: "
                          + e.getMessage()
                          + "; an account reaches other nodes within seconds, an administrator's"
                          + " token is known only to nodes that were started with the same",
                      e);
              case IOException e ->
                  new UnavailableException(
                      "the node that leads ("
                          + url
                          + ") does not answer; what was asked for may have happened: ask again",
                      e);
              case DamagedException e ->
                  new UnavailableException(
                      url
                          + " answers what cannot be read; what was asked for may have happened: "
                          + e.getMessage(),
                      e);
              case Throwable other -> other;
            }));
  }

  /** What a call gives, or a failed future where it throws. */
  static <T> CompletableFuture<T> attempt(Supplier<CompletableFuture<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  static Throwable cause(Throwable problem) {
    return problem instanceof CompletionException && problem.getCause() != null
        ? problem.getCause()
        : problem;
  }

  /** The failure of a future as an exception of the caller's. */
  static RuntimeException unwrapped(CompletionException failed) {
    return failed.getCause() instanceof RuntimeException problem ? problem : failed;
  }
}
