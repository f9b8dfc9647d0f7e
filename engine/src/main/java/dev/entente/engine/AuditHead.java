// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * The end of the audit log at a moment: whoever keeps it elsewhere can tell later whether all
 * before it is still what it was, even if the whole log was written anew.
 *
 * @param sequence the number of the last entry; 0 before the first
 * @param hash of that entry and, through it, of all before, in hexadecimal digits
 */
public record AuditHead(long sequence, String hash) {}
