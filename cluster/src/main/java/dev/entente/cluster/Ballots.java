// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.Authority.Place;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.vote.Ballot;
import dev.entente.core.vote.Keys;
import dev.entente.core.vote.Poll;
import dev.entente.core.vote.Voter;
import dev.entente.engine.Decision;
import dev.entente.engine.Node;
import dev.entente.engine.Review;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/**
 * Votes that all nodes hold together. A node that a policy names as a voter votes by itself, for
 * that of the competing values which it had first: so the value that most nodes had wins. Whatever
 * ballot was cast at one node, its own or a person's, is counted at every other that comes to hear
 * of it; each asks all that it reaches while it holds a vote, so ballots cast on both sides of a
 * cut are counted once it is healed. A node that accepts no records of a type casts nothing for it;
 * those that do ask it. Thread-safe.
 */
public final class Ballots {
  private static final Logger LOG = System.getLogger(Ballots.class.getName());
  private static final int POLLS_MAX = 1_000;

  private final Node node;
  private final Cluster cluster;
  private final Authority authority;
  private final Transport transport;
  private final Optional<String> key;

  /**
   * @param key the node's private key, for policies that demand signed ballots; see {@link Keys}
   */
  public Ballots(
      Node node, Cluster cluster, Authority authority, Transport transport, Optional<String> key) {
    this.node = node;
    this.cluster = cluster;
    this.authority = authority;
    this.transport = transport;
    this.key = key;
  }

  /** The votes that are held here, with all ballots that are known and this node's own. */
  public byte[] told() {
    List<Review> told = new ArrayList<>();
    for (Review review : node.polls(POLLS_MAX)) {
      Poll poll = review.progress().poll().orElseThrow();
      Poll voted =
          own(review, poll).map(poll::cast).orElse(new Poll.Cast.Counted(poll))
                  instanceof Poll.Cast.Counted(Poll counted)
              ? counted
              : poll;
      told.add(review.with(review.progress().with(voted)));
    }
    return Wire.pollsToBytes(told);
  }

  /** How this node votes, where it has a vote that it has not cast. */
  private Optional<Ballot> own(Review review, Poll poll) {
    String self = node.id().name();
    Optional<Voter> voter = poll.electorate().voter(self);
    if (voter.isEmpty() || poll.ballots().containsKey(self)) {
      return Optional.empty();
    }
    return node.firstHad(review)
        .flatMap(value ->
            voter.get().key().isEmpty()
                ? Optional.of(new Ballot(self, value, ""))
                : key.map(secret ->
                    new Ballot(
                        self, value, Keys.sign(poll.question().statement(self, value), secret))));
  }

  /** Votes, and counts what others tell. Called about once a second, on a thread that may wait. */
  public void tick() throws InterruptedException {
    List<Review> held = new ArrayList<>();
    for (Review review : node.polls(POLLS_MAX)) {
      Place place = authority.place(node.policy(review.key().tenant(), review.key().type()));
      if (place instanceof Place.Here || place instanceof Place.Together) {
        held.add(review);
        own(review, review.progress().poll().orElseThrow())
            .ifPresent(ballot -> cast(review, ballot));
      }
    }
    if (held.isEmpty()) {
      return;
    }
    for (LinkStatus link : cluster.status()) {
      if (link.isUp()) {
        count(held, asked(link.url()));
      }
    }
  }

  private List<Review> asked(String url) throws InterruptedException {
    try {
      return Wire.polls(transport.get(url, node.id(), "polls"));
    } catch (IOException | DamagedException e) {
      LOG.log(Level.DEBUG, url + " tells no ballots; it is asked again", e);
      return List.of();
    }
  }

  private void count(List<Review> held, List<Review> told) {
    for (Review theirs : told) {
      Optional<Poll> poll = theirs.progress().poll();
      for (Review mine : held) {
        if (poll.isPresent() && mine.id().equals(theirs.id()) && mine.key().equals(theirs.key())) {
          poll.get().ballots().values().forEach(ballot -> count(mine, poll.get(), ballot));
          for (Poll.Equivocation lie : poll.get().equivocations()) {
            count(mine, poll.get(), lie.first());
            count(mine, poll.get(), lie.second());
          }
        }
      }
    }
  }

  /** Counts a ballot of the same question, unless it is counted already. */
  private void count(Review held, Poll told, Ballot ballot) {
    Optional<Poll> now =
        node.review(held.key().tenant(), held.id()).flatMap(review -> review.progress().poll());
    if (now.isPresent()
        && now.get().question().equals(told.question())
        && !ballot.equals(now.get().ballots().get(ballot.voter()))
        && now.get().equivocations().stream()
            .noneMatch(lie -> lie.voter().equals(ballot.voter()))) {
      cast(held, ballot);
    }
  }

  private void cast(Review review, Ballot ballot) {
    try {
      Decision.Result result =
          authority
              .vote(
                  review.key().tenant(),
                  review.id(),
                  new Decision.Value(ballot.value()),
                  ballot.voter(),
                  ballot.signature(),
                  Optional.empty())
              .join();
      if (result instanceof Decision.Result.Invalid(String why)) {
        LOG.log(Level.DEBUG, "a ballot of " + ballot.voter() + " does not count: " + why);
      } else if (result instanceof Decision.Result.Refused(var refused)) {
        LOG.log(
            Level.DEBUG, "a ballot of " + ballot.voter() + " does not count: " + refused.message());
      }
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof UnavailableException)) {
        throw e;
      }
      LOG.log(Level.DEBUG, "a ballot waits until the group answers", e);
    }
  }
}
