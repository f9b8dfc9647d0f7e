// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

/** Takes transformed operations, to be carried out one after the other. */
interface Sink {
  /** Drops everything. */
  Sink NOWHERE =
      new Sink() {
        @Override
        public void insert(int position, int offset, int length) {}

        @Override
        public void delete(int position, int length) {}
      };

  /** Inserts items that stand at {@code offset} of the content of the history. */
  void insert(int position, int offset, int length);

  void delete(int position, int length);
}
