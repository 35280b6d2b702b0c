// @ts-check
'use strict';

/**
 * Words that people make texts of, and secrets: the frequent ones of English, and those of applications and their settings.
 * As a tree, by which a word is known before it is at its end.
 */

const WORDS = `
the and for you that with this have from they are not but what all were when your can said there use each which she how
their will other about out many then them these some her would make like him into time has look two more write see number
way could people than first water been call who its now find long down day did get come made may part over new sound take
only little work know place year live back give most very after thing just name good sentence man think say great where
help through much before line right too mean old any same tell boy follow came want show also around form three small set
put end does another well large must big even such because turn here why ask went men read need land different home move
try kind hand picture again change off play spell air away animal house point page letter mother answer found study still
learn should world high every near add food between own below country plant last school father keep tree never start city
earth eye light thought head under story saw left few while along might close something seem next hard open begin life
always those both paper together got group often run important until children side feet car mile night walk white sea began
grow took river four carry state once book hear stop without second later miss idea enough eat face watch far really almost
let above girl sometimes mountain cut young talk soon list song being leave family our love dog cat fish bird horse monkey
dragon tiger eagle baseball football soccer hockey summer winter spring autumn shadow master sunshine princess flower
welcome freedom happy hello super star power magic money banana apple orange coffee chocolate cheese cookie pepper ginger
monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october
november december company product production prod stage staging develop dev local test tests demo temp temporary internal
private public access admin administrator root user users login logon account accounts auth authentication authorization
session sessions cookie cookies token tokens key keys sign signing signature encrypt encryption crypto cipher hash hmac jwt
json web api app application service server client database data base mongo mysql postgres redis cache queue config
configuration setting settings environment variable value string random generate generated strong secure security safe
safety unique hidden protect protected share shared please replace remember forget update upgrade version build deploy
release docker container kubernetes cluster cloud amazon azure google github gitlab node express nest react angular django
flask spring laravel rails backend frontend gateway proxy email mail message payment order customer store shop bank system
network internet website domain host port path file folder backup monitor logger report project team office business
enterprise global world minimum maximum length least characters bits bytes symbol long longer short simple complex
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
