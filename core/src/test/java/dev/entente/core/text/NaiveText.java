// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An oracle: a list of characters each of which knows what it was inserted between, as slow and as
 * plain as can be. Source of the order: Gentle, eg-walker-reference; Weidner, Kleppmann, Fugue.
 */
final class NaiveText {
  /** A character, deleted or not. */
  static final class Item {
    final String agent;
    final int sequence;
    final int character;
    final @Nullable Item left;
    final @Nullable Item right;
    boolean deleted;

    Item(String agent, int sequence, int character, @Nullable Item left, @Nullable Item right) {
      this.agent = agent;
      this.sequence = sequence;
      this.character = character;
      this.left = left;
      this.right = right;
    }
  }

  /** What one replica tells the others. */
  record Event(
      String agent,
      int sequence,
      int character,
      @Nullable String left,
      @Nullable String right,
      @Nullable String deletes) {}

  final String agent;
  final List<Event> log = new ArrayList<>();
  private final Map<String, Integer> seen = new TreeMap<>();
  private final Map<String, Item> byId = new TreeMap<>();
  private final List<Item> items = new ArrayList<>();

  NaiveText(String agent) {
    this.agent = agent;
  }

  private int next() {
    return seen.getOrDefault(agent, 0);
  }

  void insert(int position, int character) {
    int index = indexAfter(position);
    Item left = index == 0 ? null : items.get(index - 1);
    Item right = index < items.size() && items.get(index).left == left ? items.get(index) : null;
    apply(new Event(agent, next(), character, id(left), id(right), null));
  }

  void delete(int position) {
    apply(new Event(agent, next(), 0, null, null, id(items.get(indexAfter(position + 1) - 1))));
  }

  private int indexAfter(int position) {
    int visible = 0;
    int index = 0;
    while (visible < position) {
      visible += items.get(index++).deleted ? 0 : 1;
    }
    return index;
  }

  private static @Nullable String id(@Nullable Item item) {
    return item == null ? null : item.agent + "/" + item.sequence;
  }

  void merge(NaiveText other) {
    for (Event event : List.copyOf(other.log)) {
      if (event.sequence() >= seen.getOrDefault(event.agent(), 0)) {
        apply(event);
      }
    }
  }

  private void apply(Event event) {
    log.add(event);
    seen.put(event.agent(), event.sequence() + 1);
    if (event.deletes() != null) {
      byId.get(event.deletes()).deleted = true;
      return;
    }
    Item item =
        new Item(
            event.agent(),
            event.sequence(),
            event.character(),
            event.left() == null ? null : byId.get(event.left()),
            event.right() == null ? null : byId.get(event.right()));
    items.add(placeOf(item), item);
    byId.put(id(item), item);
  }

  private int placeOf(Item item) {
    int left = item.left == null ? -1 : items.indexOf(item.left);
    int right = item.right == null ? items.size() : items.indexOf(item.right);
    int place = left + 1;
    boolean scanning = false;
    for (int at = left + 1; at < items.size(); at++) {
      Item other = items.get(at);
      if (other == item.right) {
        break;
      }
      int otherLeft = other.left == null ? -1 : items.indexOf(other.left);
      if (otherLeft < left) {
        break;
      }
      if (otherLeft == left) {
        int otherRight = other.right == null ? items.size() : items.indexOf(other.right);
        if (otherRight == right && item.agent.compareTo(other.agent) < 0) {
          break;
        }
        scanning = otherRight < right;
      }
      if (!scanning) {
        place = at + 1;
      }
    }
    return place;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Item item : items) {
      if (!item.deleted) {
        text.appendCodePoint(item.character);
      }
    }
    return text.toString();
  }
}
