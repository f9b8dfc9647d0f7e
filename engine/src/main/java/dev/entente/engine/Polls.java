// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.json.Json;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The votes that are being held, for nodes that vote and hand each other's ballots on. */
final class Polls {
  private static final String OPEN = "poll";

  private final Store store;
  private final Incarnations self;
  private final ReviewBook reviews;

  Polls(Store store, Incarnations self, ReviewBook reviews) {
    this.store = store;
    this.self = self;
    this.reviews = reviews;
  }

  /** Keeps track of a review as it is from here on. */
  static void follow(Transaction transaction, Review review) {
    byte[] at = Keys.of(OPEN, review.key().tenant(), review.id());
    if (review.status() == Review.Status.PENDING && review.progress().poll().isPresent()) {
      transaction.put(Table.META, at, new byte[0]);
    } else if (transaction.get(Table.META, at) != null) {
      transaction.delete(Table.META, at);
    }
  }

  /** The reviews whose votes are being held, at most so many. */
  List<Review> open(int max) {
    List<byte[]> found = new ArrayList<>();
    store.scan(
        Table.META,
        Keys.of(OPEN),
        (key, _) -> {
          found.add(key);
          return found.size() < max;
        });
    List<Review> open = new ArrayList<>();
    for (byte[] key : found) {
      List<String> names = Keys.names(key);
      reviews
          .get(names.get(1), names.get(2))
          .filter(review -> review.progress().poll().isPresent())
          .ifPresent(open::add);
    }
    return open;
  }

  /** Of the values that compete, the one that came to this node first. */
  Optional<Json> firstHad(Review review, Function<Review, Snapshot> read) {
    return read.apply(review).view().resolutions().stream()
        .map(Resolution::conflict)
        .filter(conflict -> conflict.id().equals(review.id()))
        .flatMap(conflict -> conflict.competing().stream())
        .min(Comparator.comparingLong(a -> position(review.key().tenant(), a.dot())))
        .map(assignment -> assignment.value());
  }

  private long position(String tenant, Dot dot) {
    if (self.wrote(dot)) {
      return dot.number();
    }
    byte[] position = store.get(Table.DOTS, Receiver.dotKey(tenant, dot));
    return position == null ? Long.MAX_VALUE : new ByteReader(position).u64();
  }
}
