// @ts-check
'use strict';

/**
 * Words that people make texts of, and secrets: the frequent ones of English, and those of applications and their
 * settings. As a tree, by which a word is known before it is at its end.
 */

const WORDS = `
about above access account accounts add admin administrator after again air all almost along also always amazon and
angular animal another answer any api app apple application april are around ask august auth authentication
authorization autumn away azure back backend backup banana bank base baseball because been before began begin being
below between big bird bits book both boy build business but bytes cache call came can car carry cat change characters
cheese children chocolate cipher city client close cloud cluster coffee come company complex config configuration
container cookie cookies could country crypto customer cut data database day december demo deploy dev develop did
different django docker does dog domain down dragon each eagle earth eat email encrypt encryption end enough
enterprise environment even every express eye face family far father february feet few file find first fish flask
flower folder follow food football for forget form found four freedom friday from frontend gateway generate generated
get ginger girl github gitlab give global good google got great group grow hand happy hard has hash have head hear
hello help her here hidden high him hmac hockey home horse host house how idea important internal internet into its
january json july june just jwt keep key keys kind know kubernetes land laravel large last later learn least leave
left length let letter life light like line list little live local logger login logon long longer look love made magic
mail make man many march master maximum may mean men message might mile minimum miss monday money mongo monitor monkey
more most mother mountain move much must mysql name near need nest network never new next night node not november now
number october off office often old once only open orange order other our out over own page paper part path payment
people pepper picture place plant play please point port postgres power princess private prod product production
project protect protected proxy public put queue rails random react read really redis release remember replace report
right river root run safe safety said same saturday saw say school sea second secure security see seem sentence
september server service session sessions set setting settings shadow share shared she shop short should show side
sign signature signing simple small soccer some something sometimes song soon sound spell spring stage staging star
start state still stop store story string strong study such summer sunday sunshine super symbol system take talk team
tell temp temporary test tests than that the their them then there these they thing think this those thought three
through thursday tiger time together token tokens too took tree try tuesday turn two under unique until update upgrade
use user users value variable version very walk want watch water way web website wednesday welcome well went were what
when where which while white who why will winter with without work world would write year you young your
`;

/**
 * @typedef {object} Branch
 * @property {number} words How many go through here.
 * @property {Map<string, Branch>} next
 */

const ROOT = newBranch();
for (const word of new Set(WORDS.trim().split(/\s+/))) {
  let branch = ROOT;
  branch.words++;
  for (const letter of word) {
    let next = branch.next.get(letter);
    if (next === undefined) branch.next.set(letter, (next = newBranch()));
    next.words++;
    branch = next;
  }
}

/** @returns {Branch} */
function newBranch() {
  return { words: 0, next: new Map() };
}

module.exports = { ROOT };
