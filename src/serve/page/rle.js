/* SPDX-License-Identifier: MIT */
/* COCO's run lengths: column by column, zeros first; counts are base-32 digits from '0', least first, the sixth bit says
 * that more follow, and from the third on they are told as the difference to the one before the last. */

export function runs(counts) {
    const list = [];
    for (let i = 0; i < counts.length;) {
        let value = 0, shift = 0, digit;
        do {
            digit = counts.charCodeAt(i++) - 48;
            value |= (digit & 31) << shift;
            shift += 5;
        } while (digit & 32);
        if (digit & 16)
            value |= -1 << shift;
        list.push(list.length > 2 ? value + list[list.length - 2] : value);
    }
    return list;
}

/* [height,width] of 0 and 1, row by row. */
export function pixels({size: [height, width], counts}) {
    const out = new Uint8Array(height * width);
    let at = 0, one = 0;
    for (const n of runs(counts)) {
        if (one)
            for (let i = at; i < at + n; i++)
                out[(i % height) * width + Math.floor(i / height)] = 1;
        at += n;
        one ^= 1;
    }
    return out;
}
