// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

/**
 * Transformed operations that wait to be carried out on a text, each checked against the length
 * that the text has then. Not thread-safe.
 */
final class TextEdits implements Sink {
  /** In place of an offset: a deletion. */
  private static final int DELETION = -1;

  /** Triples: position, offset of the content or {@link #DELETION}, length. */
  private final IntArray edits = new IntArray();

  private long length;

  /**
   * @param length that of the text before the first operation
   */
  TextEdits(int length) {
    this.length = length;
  }

  @Override
  public void insert(int position, int offset, int count) {
    if (position > length) {
      throw new TextFormatException("an insertion behind the end of the text");
    }
    length += count;
    add(position, offset, count);
  }

  @Override
  public void delete(int position, int count) {
    if ((long) position + count > length) {
      throw new TextFormatException("a deletion behind the end of the text");
    }
    length -= count;
    add(position, DELETION, count);
  }

  private void add(int position, int offset, int count) {
    edits.add(position);
    edits.add(offset);
    edits.add(count);
  }

  void applyTo(ItemBuffer text, ItemBuffer content) {
    for (int i = 0; i < edits.size(); i += 3) {
      if (edits.get(i + 1) == DELETION) {
        text.delete(edits.get(i), edits.get(i + 2));
      } else {
        text.insert(edits.get(i), content, edits.get(i + 1), edits.get(i + 2));
      }
    }
  }
}
